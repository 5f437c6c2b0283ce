// The search itself: propose, run the cells, read their scores, again until the budget or the expected gain ends it;
// then the choice is trained anew on seeds of its own and tested beside masked and unmasked training. All of its state
// is in finished cells: begun again, it makes the same proposals.
import { join } from "node:path";
import { parseAssignment } from "../../config-file/index.ts";
import { makeFolder, readJson, writeJson } from "../../files/atomic.ts";
import { type Recipe, readRecipe } from "../../recipe/index.ts";
import {
  choose,
  floored,
  type Point,
  type Proposal,
  type ProposeOptions,
  plwOfWp,
  posterior,
  priorFor,
  propose,
  type SearchSpace,
  spacePoints,
  wpOfPlw,
} from "../../statistics/index.ts";
import { StudyError } from "../errors.ts";
import { DataMeter, measureModel } from "../plan/measure.ts";
import { unitOf } from "../results/choice-evidence.ts";
import { type Found, objectiveOf, runCells, scoreOf, secondsOf, type TuneOptions } from "./cells.ts";
import { refuseOverlap, testChoice } from "./final.ts";
import type { Chosen, TunedPoint, TuneReport, TuneRun } from "./report.ts";
import { decisive, type TuneSettings } from "./settings.ts";
import { type AskedRun, cellOf, labelOf, type RunsStudyOptions, studyOfRuns } from "./study-of-runs.ts";

/** What the search keeps of each run; `score` is higher for better. */
export interface Scored extends TuneRun {
  readonly point: Point;
  readonly score: number;
  readonly seconds: number;
}

/**
 * @returns the report, or undefined where cells are still to be run: interrupted, or submitted to Slurm
 * @throws {StudyError} for a search that other settings began, and for cells that failed
 */
export async function tune(
  settings: TuneSettings,
  options: TuneOptions = {},
): Promise<TuneReport | undefined> {
  const { onEvent = () => {} } = options;
  keepSettings(settings);
  const recipe = readRecipe(settings.recipe, { set: settings.set ?? [] });
  const { test } = settings;
  if ("data" in test) await refuseOverlap(settings.recipe, recipe, test.data);
  const { space, rest } = await searchOf(settings, recipe);
  const meter = new DataMeter();
  const files = filesOf(settings, recipe);
  const done: Scored[] = [];
  const asked: AskedRun[] = [];
  let found: Found | undefined;
  let stopped: string | undefined;
  for (;;) {
    const left = await batchLeft(settings, done, recipe, meter);
    const proposals = left === 0 ? [] : propose(space, observations(done), left, rest);
    stopped = reasonToStop(proposals, settings.tolerance);
    if (stopped !== undefined) break;
    const next = withSeeds(proposals, done, settings, recipe);
    asked.push(...next);
    onEvent({
      ...{ type: "propose", done: done.length },
      runs: next.map((run, i) => ({ ...publicOf(run), tokens: undefined, gain: proposals[i]!.gain })),
    });
    const study = studyOfRuns(asked, files);
    if (!(await runCells(study, next, options))) return undefined;
    for (const [i, run] of next.entries()) {
      found = scoreOf(study, run);
      const { tokens } = await meter.measure(cellOf(study, run).recipe);
      const { value, higherIsBetter } = found;
      done.push({
        ...{ ...publicOf(run), value, tokens, gain: proposals[i]!.gain },
        ...{ point: proposals[i]!.point, score: higherIsBetter ? value : -value },
        seconds: secondsOf(study, run),
      });
      onEvent({ type: "run", run: shownOf(done.at(-1)!), number: done.length });
    }
  }
  if (found === undefined)
    throw new StudyError("the budget does not pay for one run", { hint: "give more runs, tokens or hours" });
  onEvent({ type: "stop", reason: stopped });
  const chosen = chosenOf(space, done, rest, settings, recipe);
  const tested = await testChoice(settings, recipe, chosen, { ...options, set: files.set });
  if (tested === undefined) return undefined;
  const report: TuneReport = {
    objective: objectiveReport(files.task, found),
    runs: done.map(shownOf),
    ...{ stopped, generationRatio: await meter.generationRatio(recipe), ...chosen, test: tested },
  };
  writeJson(join(settings.output, "tune.json"), { settings: decisive(settings), report });
  return report;
}

function objectiveReport(task: string, { metric, higherIsBetter }: Found): TuneReport["objective"] {
  return { task, metric, unit: unitOf(metric), higherIsBetter };
}

function filesOf(settings: TuneSettings, recipe: Recipe): RunsStudyOptions {
  const [task, metric] = objectiveOf(settings.objective);
  return {
    ...{ name: "search", recipe: settings.recipe, output: settings.output, task, metric },
    ...{ set: common(settings, recipe), taskData: settings.taskData, slurm: settings.slurm },
  };
}

/** @param proposals none where the budget pays for no more */
function reasonToStop(proposals: readonly Proposal[], tolerance: number): string | undefined {
  const [first] = proposals;
  if (first === undefined) return "the budget is used";
  if (first.gain === undefined || first.gain >= tolerance) return undefined;
  return `one more run is expected to gain ${first.gain.toPrecision(2)}, under the tolerance`;
}

/** The runs of these proposals: a point's repetitions count up from the recipe's seed. */
function withSeeds(
  proposals: readonly Proposal[],
  done: readonly Scored[],
  settings: TuneSettings,
  recipe: Recipe,
): AskedRun[] {
  const before = done.map(({ point }) => point);
  return proposals.map(({ point }, i) => {
    const earlier = [...before, ...proposals.slice(0, i).map((proposal) => proposal.point)];
    return { ...askedOf(point, settings, recipe), seed: recipe.seed + repeatsOf(point, earlier) };
  });
}

/** @throws {StudyError} where the folder holds a search of other settings, whose proposals would be others */
function keepSettings(settings: TuneSettings): void {
  const file = join(settings.output, "tune.json");
  const before = readJson<{ settings: object }>(file);
  if (before === undefined) writeJsonIn(settings.output, file, { settings: decisive(settings) });
  else if (JSON.stringify(before.settings) !== JSON.stringify(decisive(settings)))
    throw new StudyError(`${settings.output}: a search of other settings is there`, {
      hint: "give another --output; budget and tolerance may change, what is searched may not",
    });
}

function writeJsonIn(folder: string, file: string, value: unknown): void {
  makeFolder(folder);
  writeJson(file, value);
}

async function searchOf(
  settings: TuneSettings,
  recipe: Recipe,
): Promise<{ space: SearchSpace; rest: ProposeOptions }> {
  const generationRatio = await new DataMeter().generationRatio(recipe);
  const { normalization } = recipe.loss;
  const prior = priorFor({ generationRatio, normalization, parameters: measureModel(recipe).parameters });
  const wps = settings.weights.map(wpOfPlw);
  const base = Math.log10(recipe.training.learningRate);
  const logRates = ratesOf(settings, recipe).map(Math.log10);
  const nearest = (values: readonly number[], to: number): number =>
    values.reduce((a, b) => (Math.abs(b - to) < Math.abs(a - to) ? b : a));
  const space: SearchSpace = {
    ...{ wps, logRates },
    ...(Object.keys(settings.keys).length > 0 && { others: othersOf(settings).map(labelOf) }),
    center: { wp: nearest(wps, prior.center), logRate: nearest(logRates, base) },
  };
  return { space, rest: { prior, noise: settings.noise, seed: settings.seed } };
}

/** A third of the recipe's rate, the rate, three times it, where none are given. */
function ratesOf({ learningRates }: TuneSettings, { training }: Recipe): readonly number[] {
  const { learningRate } = training;
  const rounded = (rate: number): number => Number(rate.toPrecision(4));
  return learningRates ?? [rounded(learningRate / 3), learningRate, rounded(learningRate * 3)];
}

function othersOf({ keys }: TuneSettings): Record<string, unknown>[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(keys))
    all = all.flatMap((before) => values.map((value) => ({ ...before, [key]: value })));
  return all;
}

/** The last weights of every run: choosing them by the validation rows would be a second search. */
function common({ set = [] }: TuneSettings, { evaluation }: Recipe): Record<string, unknown> {
  const given = set.map(parseAssignment).map(({ path, value }) => [path.join("."), value] as const);
  return {
    ...Object.fromEntries(given),
    ...(evaluation !== undefined && { "evaluation.keepBest": false }),
  };
}

function observations(done: readonly Scored[]) {
  const scores = floored(done.map(({ score }) => score));
  return done.map(({ point }, i) => ({ ...point, score: scores[i]! }));
}

function samePoint(a: Point, b: Point): boolean {
  return a.wp === b.wp && a.logRate === b.logRate && a.other === b.other;
}

function repeatsOf(point: Point, before: readonly Point[]): number {
  return before.filter((each) => samePoint(each, point)).length;
}

function publicOf({ plw, learningRate, other, seed }: AskedRun) {
  return {
    ...{ plw, learningRate, seed },
    ...(other !== undefined && { other }),
  };
}

function shownOf({ point: _, score: __, seconds: ___, ...run }: Scored): TuneRun {
  return run;
}

function weightOf(wp: number, { weights }: TuneSettings): number {
  return weights.find((plw) => wpOfPlw(plw) === wp) ?? plwOfWp(wp);
}

function askedOf(point: Point, settings: TuneSettings, recipe: Recipe): Omit<AskedRun, "seed"> {
  return {
    plw: weightOf(point.wp, settings),
    learningRate: ratesOf(settings, recipe).find((rate) => Math.log10(rate) === point.logRate)!,
    ...(point.other !== undefined && {
      other: othersOf(settings).find((each) => labelOf(each) === point.other),
    }),
  };
}

/** How many runs the budget still pays for, at most a batch. */
async function batchLeft(
  { budget, batch }: TuneSettings,
  done: readonly Scored[],
  recipe: Recipe,
  meter: DataMeter,
): Promise<number> {
  let left = Math.min(batch, (budget.runs ?? Number.POSITIVE_INFINITY) - done.length);
  if (budget.tokens !== undefined) {
    const used = done.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
    left = Math.min(left, Math.floor((budget.tokens - used) / (await meter.measure(recipe)).tokens));
  }
  // Of these runs alone: begun again, the search would else find its budget spent before its first run is read.
  const seconds = done.reduce((sum, run) => sum + run.seconds, 0);
  if (budget.hours !== undefined && seconds >= 3600 * budget.hours) left = 0;
  return Math.max(0, left);
}

const ALIKE = 0.1;

function chosenOf(
  space: SearchSpace,
  done: readonly Scored[],
  rest: ProposeOptions,
  settings: TuneSettings,
  recipe: Recipe,
): Chosen {
  const points = spacePoints(space);
  const found = posterior(points, observations(done), rest);
  // Where all runs have one score, a regret is in no unit but the gap, and the user's tolerance is of no use.
  const isTold = found.noise !== undefined;
  const scale = isTold ? 1 : found.span;
  const tolerance = isTold && settings.tolerance > 0 ? settings.tolerance : ALIKE * (isTold ? found.span : 1);
  const { best, candidates, within, oneMoreRun } = choose(found, { tolerance: tolerance * scale });
  const at = (i: number): TunedPoint => {
    const { expectedRegret, probabilityBest } = candidates[i]!;
    const place = askedOf(points[i]!, settings, recipe);
    return { ...place, expectedRegret: expectedRegret / scale, probabilityBest } as TunedPoint;
  };
  const indices = points.map((_, i) => i);
  const chosen = points[best]!;
  const bestAt = (wp: number): number =>
    indices
      .filter((i) => points[i]!.wp === wp)
      .reduce((a, b) => (candidates[b]!.expectedRegret < candidates[a]!.expectedRegret ? b : a));
  const row = indices.filter((i) => samePoint({ ...points[i]!, wp: chosen.wp }, chosen));
  return {
    ...{ choice: at(best), isTold },
    weights: row.map(at),
    within: { tolerance, weights: [...new Set(within.map((i) => at(i).plw))].sort((a, b) => a - b) },
    noise: found.noise,
    oneMoreRun:
      oneMoreRun &&
      ({
        ...askedOf(points[oneMoreRun.at]!, settings, recipe),
        gain: oneMoreRun.gain,
      } as Chosen["oneMoreRun"]),
    ends: [at(bestAt(space.wps[0]!)), at(bestAt(space.wps.at(-1)!))],
  };
}
