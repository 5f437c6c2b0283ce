// Choices and searches by their regret: `npm run bench:tuning`. First, what each rule of choice costs after a given
// study; second, what each way of searching costs for the same number of runs, on synthetic truths and on a dense study
// that was really run, replayed. `--replicates 30` is how often each is repeated.
import { type Point, plwOfWp, randomSource, type SearchSpace, wpOfPlw } from "promptloss/statistics";
import { machine, writeLines, writeSection } from "../lib/report.ts";
import { designs, rules } from "./choices.ts";
import { priorsTable } from "./priors.ts";
import { sectionOf } from "./section.ts";
import { type Strategy, strategies } from "./strategies.ts";
import { meanOf } from "./summary.ts";
import {
  ADVERSE,
  replayedTruths,
  rowsAboveChance,
  rowsOfReport,
  syntheticTruths,
  type Truth,
} from "./truths.ts";
import { type Cell, type Search, worthLines } from "./worth.ts";

// `--priors` instead prints what parts of the prior do on the replayed study (priors.ts), and writes nothing.
const at = process.argv.indexOf("--replicates");
const REPLICATES = at < 0 ? 20 : Number(process.argv[at + 1]);
const NOISES = [0.05, 0.2];
const SEARCH_NOISE = 0.1;
const BUDGETS = [6, 8];
const RATIO = 0.3;

const WEIGHTS = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.242, 0.35, 0.5, 0.7, 1];
const WPS = WEIGHTS.map(wpOfPlw);
const CENTER = wpOfPlw(0.242);

function regretOf(truth: Truth, chosen: Point, points: readonly Point[]): number {
  return Math.max(...points.map((point) => truth.score(point))) - truth.score(chosen);
}

function summarize(of: string, regrets: Readonly<Record<string, readonly number[]>>): Cell {
  const [first] = Object.values(regrets);
  const entries = Object.entries(regrets);
  return {
    of,
    by: Object.fromEntries(entries.map(([name, values]) => [name, meanOf(values)])),
    difference: Object.fromEntries(
      entries.slice(1).map(([name, values]) => [name, meanOf(first!.map((value, i) => value - values[i]!))]),
    ),
  };
}

function gather(): { all: Record<string, number[]>; add(name: string, value: number): void } {
  const all: Record<string, number[]> = {};
  return {
    all,
    add: (name, value) => {
      all[name] ??= [];
      all[name].push(value);
    },
  };
}

const ROOT = new URL("../../../", import.meta.url);
const REPLAYED = replayedTruths(rowsOfReport(new URL("docs/replication-report.html", ROOT)));
const REPLAYED_RATES = replayedTruths(
  rowsAboveChance(new URL("recipes/replication/results/learning-rate/", ROOT)),
);

if (process.argv.includes("--priors")) {
  console.log(priorsTable(BUDGETS, replayedRegrets));
  process.exit();
}

const choiceCells: Cell[] = [];
const choiceByTruth: Cell[] = [];
{
  const whole = gather();
  const points = Array.from({ length: 41 }, (_, i) => ({ wp: i / 40 }));
  const candidates = WPS.map((wp) => ({ wp }));
  const perTruth = new Map<string, ReturnType<typeof gather>>();
  for (const [design, wps] of Object.entries(designs)) {
    const cell = gather();
    for (const noise of NOISES)
      for (const truth of syntheticTruths({ noise, generationRatio: RATIO }))
        for (let r = 0; r < REPLICATES; r++) {
          const random = randomSource(1000 * r + 7);
          const runs = wps.map((wp) => ({ wp, score: truth.run({ wp }, random) }));
          for (const [name, rule] of Object.entries(rules)) {
            const regret = regretOf(truth, { wp: rule(runs, candidates, truth) }, points);
            if (truth.name !== ADVERSE) cell.add(name, regret);
            if (truth.name !== ADVERSE) whole.add(name, regret);
            if (!perTruth.has(truth.name)) perTruth.set(truth.name, gather());
            perTruth.get(truth.name)!.add(name, regret);
          }
        }
    choiceCells.push(summarize(design, cell.all));
    console.error(`choices ${design}`);
  }
  choiceCells.push(summarize("all", whole.all));
  for (const [name, cell] of perTruth) choiceByTruth.push(summarize(name, cell.all));
}

function search(truths: readonly Truth[], spaceOf: (truth: Truth) => SearchSpace, runs: number): Cell[] {
  const whole = gather();
  const cells = truths.map((truth) => {
    const cell = gather();
    const space = spaceOf(truth);
    const points = space.logRates.flatMap((logRate) => space.wps.map((wp) => ({ wp, logRate })));
    for (let r = 0; r < REPLICATES; r++)
      for (const [name, strategy] of Object.entries(strategies)) {
        const random = randomSource(1000 * r + 11);
        const regret = regretOf(truth, strategy({ truth, space, runs, random, seed: r + 1 }), points);
        cell.add(name, regret);
        if (truth.name !== ADVERSE) whole.add(name, regret);
      }
    return summarize(truth.name, cell.all);
  });
  return [...cells, summarize("all", whole.all)];
}

function nearest(values: readonly number[], to: number): number {
  return values.reduce((a, b) => (Math.abs(b - to) < Math.abs(a - to) ? b : a));
}
function oneDimension(truth: Truth): SearchSpace {
  const wps = truth.wps ?? WPS;
  return { wps, logRates: [undefined], center: { wp: nearest(wps, CENTER), logRate: undefined } };
}
/** As the study's recipe has it: what a user who searches rates begins at. */
const BASE_RATE = Math.log10(1e-4);
function replayedRates({ wps, logRates }: Truth): SearchSpace {
  return {
    ...{ wps: wps!, logRates: logRates! },
    center: { wp: nearest(wps!, CENTER), logRate: nearest(logRates!, BASE_RATE) },
  };
}
const RATES = [-0.5, 0, 0.5];
function twoDimensions(): SearchSpace {
  return {
    wps: WPS,
    logRates: RATES,
    center: { wp: CENTER, logRate: 0 },
  };
}

/** Of a strategy on all truths and replicates, in order. */
function replayedRegrets(strategy: Strategy, runs: number): number[] {
  return REPLAYED.flatMap((truth) => {
    const space = oneDimension(truth);
    const points = space.wps.map((wp) => ({ wp }));
    return Array.from({ length: REPLICATES }, (_, r) => {
      const random = randomSource(1000 * r + 11);
      return regretOf(truth, strategy({ truth, space, runs, random, seed: r + 1 }), points);
    });
  });
}

const searches: Search[] = [];
const begin = performance.now();
for (const runs of BUDGETS) {
  const noise = SEARCH_NOISE;
  searches.push({
    ...{ title: "weight", runs, noise },
    cells: search(syntheticTruths({ noise, generationRatio: RATIO }), oneDimension, runs),
  });
  searches.push({
    ...{ title: "weight and learning rate", runs, noise },
    cells: search(syntheticTruths({ noise, rates: true, generationRatio: RATIO }), twoDimensions, runs),
  });
  searches.push({
    ...{ title: "weight, replayed", runs, noise: undefined },
    cells: search(REPLAYED, oneDimension, runs),
  });
  searches.push({
    ...{ title: "weight and learning rate, replayed", runs, noise: undefined },
    cells: search(REPLAYED_RATES, replayedRates, runs),
  });
  console.error(`searches of ${runs} runs: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
}

const figures = {
  ...{ replicates: REPLICATES, weights: WPS.map(plwOfWp), rates: RATES, ratio: RATIO },
  ...{ noises: NOISES, searchNoise: SEARCH_NOISE },
  ...{ choices: choiceCells, choicesByTruth: choiceByTruth, searches },
};
console.log(sectionOf(figures));
writeSection("tuning", sectionOf(figures), { machine: machine(), ...figures });
writeLines("choosing.md", "tuning-worth", worthLines(figures));
