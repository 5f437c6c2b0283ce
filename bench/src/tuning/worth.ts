// What docs/choosing.md says of choices and searches, from the figures of a run of the bench.
import { inWords, type Mean } from "./summary.ts";
import { ADVERSE } from "./truths.ts";

export interface Cell {
  readonly of: string;
  readonly by: Readonly<Record<string, Mean>>;
  /** The first's regret less each other's, pair by pair. */
  readonly difference: Readonly<Record<string, Mean>>;
}

export interface Search {
  /** What is searched. */
  readonly title: string;
  readonly runs: number;
  /** Of a run; undefined where it is a study's own. */
  readonly noise?: number | undefined;
  readonly cells: readonly Cell[];
}

export interface TuningFigures {
  readonly replicates: number;
  /** Deviations of a run: in choices, and in searches of synthetic truths. */
  readonly noises: readonly number[];
  readonly searchNoise: number;
  /** Rg. */
  readonly ratio: number;
  readonly choices: readonly Cell[];
  readonly choicesByTruth: readonly Cell[];
  readonly searches: readonly Search[];
}

const OURS = "lowest expected regret";
const FLAT = "lowest expected regret, flat prior";
const GATE = "vertex if significant, else 0.242";
const ALWAYS = "always 0.242";

/** Lines of Markdown. */
export function worthLines({ replicates, choices, choicesByTruth, searches }: TuningFigures): string {
  const all = named(choices, "all");
  const less = (cell: Cell, name: string): string => signed(cell.difference[name]!);
  const truths = choicesByTruth.filter(({ of }) => of !== ADVERSE).length;
  const studies = choices.filter(({ of }) => of !== "all");
  const wrong = ["falls", "rises"].map((of) => {
    const { by } = named(choicesByTruth, of);
    return `${short(by[OURS]!)} against a flat prior's ${short(by[FLAT]!)} where the score only ${of}`;
  });
  const budgets = [...new Set(searches.map(({ runs }) => runs))];
  const regrets = (title: string, of: string, name: string): string =>
    budgets
      .map((runs) => searches.find((search) => search.title === title && search.runs === runs)!)
      .map(({ cells }) => short(named(cells, of).by[name]!))
      .join(" and ");
  const against = (title: string, names: readonly (readonly [string, string])[]): string =>
    names.map(([name, words]) => `${words} ${regrets(title, "all", name)}`).join(", ");
  const others = [
    ["tune, flat prior", "with a flat prior"],
    ["grid, posterior", "a grid read by the same posterior"],
    ["grid", "a grid"],
    ["random", "random"],
    ["TPE", "TPE (a short one of the bench's own)"],
  ] as const;
  const replayed = searches.find(({ title, runs }) => title === "weight, replayed" && runs === budgets[0])!;
  const ownStudy = named(replayed.cells, "all");
  const prior = searches
    .filter(({ title }) => title === "weight, replayed")
    .map(({ runs, cells }) => {
      const flat = ({ difference }: Cell): Mean => difference["tune, flat prior"]!;
      const own = cells.filter(({ of }) => of !== "all");
      const worse = own.filter((cell) => flat(cell).mean > flat(cell).half);
      const better = own.filter((cell) => flat(cell).mean < -flat(cell).half);
      const named = (found: readonly Cell[]): string =>
        found.length === 0 ? "none" : found.map((cell) => `${cell.of} (${signed(flat(cell))})`).join("; ");
      return (
        `${runs} runs ${less(cells.at(-1)!, "tune, flat prior")}, beyond its interval better on ${named(better)}, worse on ` +
        `${named(worse)}`
      );
    });
  return [
    `- ${replicates} replicates of each truth; ± is half a 95 % interval; differences are paired, ours less the other's.`,
    `- A choice after a small study costs ${short(all.by[OURS]!)} over ${truths} kinds of truth; with a flat prior ` +
      `${short(all.by[FLAT]!)} (${less(all, FLAT)}), by "the ${GATE}" ${short(all.by[GATE]!)} (${less(all, GATE)}), ` +
      `${ALWAYS} ${short(all.by[ALWAYS]!)} (${less(all, ALWAYS)}).`,
    `- By study, less the flat prior's and less the gate's: ${studies
      .map((cell) => `${cell.of} ${less(cell, FLAT)} and ${less(cell, GATE)}`)
      .join("; ")}.`,
    `- The prior costs where it is wrong: ${wrong.join(", ")}.`,
    `- A search of the weight alone costs ${regrets("weight", "all", "tune")} with ${budgets.join(" and ")} runs; ` +
      `${against("weight", others)}.`,
    `- A search of weight and learning rate costs ${regrets("weight and learning rate", "all", "tune")}; ` +
      `${against("weight and learning rate", others)}.`,
    `- On the replayed study ${regrets("weight, replayed", "all", "tune")}; ${against("weight, replayed", others)}. With ` +
      `${budgets[0]} runs, less random's ${less(ownStudy, "random")}, less TPE's ${less(ownStudy, "TPE")}.`,
    `- On the replayed study of weights and learning rates ${regrets("weight and learning rate, replayed", "all", "tune")}; ` +
      `${against("weight and learning rate, replayed", others)}.`,
    `- On the replayed study, ours less a flat prior's: ${prior.join("; ")}.`,
    `- Two humps with the valley where the prior expects the peak: ${regrets("weight", ADVERSE, "tune")} over the weight ` +
      `(a grid ${regrets("weight", ADVERSE, "grid")}), ${regrets("weight and learning rate", ADVERSE, "tune")} with the ` +
      "learning rate.",
  ].join("\n");
}

function named(cells: readonly Cell[], of: string): Cell {
  return cells.find((cell) => cell.of === of)!;
}

function short({ mean }: Mean): string {
  return mean.toFixed(3);
}

function signed(mean: Mean): string {
  const words = inWords(mean);
  return words.startsWith("-") ? `−${words.slice(1)}` : `+${words}`;
}
