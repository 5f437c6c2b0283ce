// The section of docs/BENCHMARKS.md on several processes, from its figures.
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import type { Mode, RankAnswer } from "./protocol.ts";

export interface Measured {
  readonly mode: Mode;
  readonly processes: number;
  /** Of each process. */
  readonly threads: number;
  readonly ranks: readonly RankAnswer[];
}

export interface Figures {
  readonly machine: string;
  readonly parameters: number;
  readonly cores: number;
  readonly rows: number;
  readonly tokens: number;
  readonly steps: number;
  /** Whether the machine was quiet enough for times. */
  readonly times: boolean;
  /** Processes that wanted the processor as the bench ended, over the minute before. */
  readonly load: number;
  readonly measured: readonly Measured[];
  /** One process and two at a step of `rows` rows; absent where that was not measured. */
  readonly larger?: { readonly rows: number; readonly measured: readonly Measured[] };
}

/** A quarter of a step, until a micro-batch is as large as one process takes with ease. */
export function microBatchTokens(ofStep: number): number {
  return Math.min(1024, ofStep / 4);
}

/** The aims: of one process's weights, gradients and moments, and of one process's tokens/s. */
const MOST_MEMORY = 0.35;
const LEAST_SPEED = 0.9;

export function sectionOf(figures: Figures): string {
  const { measured, parameters, rows, tokens, steps, machine } = figures;
  const [one] = measured as [Measured];
  const table = measured.map((each) => {
    const rank = largest(each);
    const { weights, gathered, gradients, moments } = rank.bytes;
    const { formula, resident } = rank;
    const state = stateOf(each);
    return [
      `${each.processes}, ${each.mode}`,
      ...[weights, gathered, gradients, moments].map(megabytes),
      megabytes(state),
      megabytes(formula.weights + formula.gradients + formula.optimizer),
      (state / stateOf(one)).toFixed(2),
      megabytes(Math.max(0, resident.peak - resident.before - state)),
      megabytes(formula.activations),
      megabytes(resident.peak),
      ...(figures.times ? [speedOf(each).toFixed(0), percent(waitingOf(each))] : []),
    ];
  });
  const times = figures.times ? ["tokens/s", "waiting"] : [];
  return [
    "## Several processes",
    "",
    `\`npm run bench:processes\`: a LLaMA of ${parameters.toLocaleString("en-US")} parameters with random weights, full fine-tuning in bf16 with float32 weights, ${rows} rows of ${tokens} tokens a step, in micro-batches of ${microBatchTokens(rows * tokens)} tokens; ${steps} steps after one. ${machine}; processes share them, with a thread each at least. Megabytes of the process that takes the most.`,
    "",
    markdownTable(
      [
        ...["processes, sharding", "weights", "gathered", "gradients", "moments", "together", "formula"],
        ...["of one process", "the rest", "activations by formula", "peak", ...times],
      ],
      table,
    ),
    "",
    "Gathered: the most of other processes' weights at one time, beside a process's own. Gradients: the most at one time. Together: the sum of these four, although the most of each comes at another moment. The rest: the peak in the measured steps less what was there before the model and what the columns say: activations, buffers, and what an allocator keeps.",
    "",
    aims(figures),
  ].join("\n");
}

function aims({ measured, larger, rows, tokens, times, load }: Figures): string {
  const [one] = measured as [Measured];
  // Of a few settings alone, some aims can't be said.
  const of = (mode: Mode, processes: number) =>
    measured.find((each) => each.mode === mode && each.processes === processes);
  const lines: string[] = [];
  const full = of("full", 4);
  if (full !== undefined) {
    const memory = stateOf(full) / stateOf(one);
    lines.push(
      `Aim: under \`full\` each of 4 processes has at most ${MOST_MEMORY} of one process's weights, gradients and moments: ${memory.toFixed(2)}, ${memory <= MOST_MEMORY ? "reached" : "missed"}.`,
    );
  }
  const two = of("none", 2);
  if (times && two !== undefined) {
    const reached = (ratio: number): string =>
      `${ratio.toFixed(2)}, ${ratio >= LEAST_SPEED ? "reached" : "missed"}`;
    const at = ` at ${(rows * tokens).toLocaleString("en-US")} tokens a step`;
    lines.push(
      `Aim: 2 processes of one thread have at least ${LEAST_SPEED} of the tokens/s of one process of two: ${reached(speedOf(two) / speedOf(one))}${larger === undefined ? "" : at}.`,
    );
    if (larger !== undefined) {
      const [alone, both] = larger.measured as [Measured, Measured];
      const ofStep = larger.rows * tokens;
      lines.push(
        `At ${ofStep.toLocaleString("en-US")} tokens a step, in micro-batches of ${microBatchTokens(ofStep)}: ${reached(speedOf(both) / speedOf(alone))} (${speedOf(both).toFixed(0)} of ${speedOf(alone).toFixed(0)} tokens/s, ${percent(waitingOf(both))} waiting). Gradients travel once a step, however many tokens it has.`,
      );
    }
  } else if (!times)
    lines.push(
      `Times are left out: other programs used the machine (load ${load.toFixed(0)}). On a quiet one the command without \`--no-times\` adds tokens/s and the share of waiting, and says whether 2 processes of one thread have at least ${LEAST_SPEED} of the tokens/s of one process of two.`,
    );
  return lines.join(" ");
}

function stateOf(each: Measured): number {
  const { weights, gathered, gradients, moments } = largest(each).bytes;
  return weights + gathered + gradients + moments;
}

/** The rank that takes the most. */
function largest({ ranks }: Measured): RankAnswer {
  return ranks.reduce((most, rank) => (rank.resident.peak > most.resident.peak ? rank : most));
}

function speedOf({ ranks }: Measured): number {
  const [first] = ranks as [RankAnswer];
  return median(first.tokens.map((count, step) => count / first.seconds[step]!));
}

function waitingOf({ ranks }: Measured): number {
  return median(ranks.flatMap(({ waited, seconds }) => waited.map((time, step) => time / seconds[step]!)));
}

function megabytes(bytes: number): string {
  return Math.round(bytes / 1e6).toLocaleString("en-US");
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
