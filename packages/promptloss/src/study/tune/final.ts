// The end of a search: its choice trained anew with seeds that the search did not use, beside masked (0) and unmasked
// (1) training, each at its own best learning rate, and scored on the test, which no choice has seen.
import { resolve } from "node:path";
import type { Example } from "../../data/example.ts";
import { readExamples } from "../../data/rows/index.ts";
import { dataPlanOf } from "../../data-plan/index.ts";
import type { Recipe } from "../../recipe/index.ts";
import { StudyError } from "../errors.ts";
import { objectiveOf, runCells, scoreOf, type TuneOptions } from "./cells.ts";
import type { Chosen, TestedArm, TunedPoint, TuneReport } from "./report.ts";
import type { TuneSettings } from "./settings.ts";
import { studyOfRuns } from "./study-of-runs.ts";

/** Far from the search's, which count up from the recipe's. */
const FIRST_SEED = 1000;

/** Undefined where cells are still to be run. */
export async function testChoice(
  settings: TuneSettings,
  recipe: Recipe,
  { choice, ends }: Chosen,
  { set, onEvent, ...options }: TuneOptions & { readonly set: Readonly<Record<string, unknown>> },
): Promise<TuneReport["test"] | undefined> {
  const { test, finalSeeds } = settings;
  const arms = armsOf(choice, ends);
  const seeds = Array.from({ length: finalSeeds }, (_, i) => recipe.seed + FIRST_SEED + i);
  const runs = arms.flatMap(({ point: { plw, learningRate, other } }) =>
    seeds.map((seed) => ({ plw, learningRate, other, seed })),
  );
  const [objective, metric] = objectiveOf(settings.objective);
  const data = "data" in test ? resolve(test.data) : undefined;
  const study = studyOfRuns(runs, {
    ...{ name: "final", recipe: settings.recipe, output: settings.output },
    ...{ taskData: settings.taskData, slurm: settings.slurm },
    ...("task" in test ? { task: test.task, metric: undefined } : { task: objective, metric }),
    // Validation rows are trained on now: the choice is made.
    set: data === undefined ? set : { ...set, evaluation: { data, keepBest: false } },
  });
  onEvent?.({ type: "final", cells: runs.length });
  if (!(await runCells(study, runs, options))) return undefined;
  let named = "";
  const tested = arms.map(({ name, point: { plw, learningRate, other } }): TestedArm => {
    const values = seeds.map((seed) => {
      const found = scoreOf(study, { plw, learningRate, other, seed });
      named = found.metric;
      return found.value;
    });
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { ...{ name, plw, learningRate, values, mean }, ...(other !== undefined && { other }) };
  });
  return { task: study.tasks[0]!.task, metric: named, seeds, arms: tested };
}

/** The choice, and the ends where the weights have them and they are not the choice itself. */
function armsOf(
  choice: TunedPoint,
  ends: readonly TunedPoint[],
): { name: TestedArm["name"]; point: TunedPoint }[] {
  const others = [
    { name: "masked" as const, point: ends.find(({ plw }) => plw === 0) },
    { name: "unmasked" as const, point: ends.find(({ plw }) => plw === 1) },
  ];
  return [
    { name: "choice", point: choice },
    ...others.flatMap(({ name, point }) =>
      point === undefined || point.plw === choice.plw ? [] : [{ name, point }],
    ),
  ];
}

/** @throws {StudyError} where a test row is one of the search's rows */
export async function refuseOverlap(file: string, recipe: Recipe, test: string): Promise<void> {
  const { sources, read, heldOut } = dataPlanOf(recipe, file);
  const seen = new Set<string>();
  const searched = heldOut !== undefined && "sources" in heldOut ? [...sources, ...heldOut.sources] : sources;
  for await (const example of readExamples(searched, read)) seen.add(keyOf(example));
  let [rows, common] = [0, 0];
  for await (const example of readExamples([{ path: test }], read)) {
    rows++;
    if (seen.has(keyOf(example))) common++;
  }
  if (common > 0)
    throw new StudyError(
      `${test}: ${common} of ${rows} test rows are among the rows that the search trains or chooses by`,
      {
        hint: "a test needs rows of its own",
      },
    );
}

/** What an example says, without where it stands. */
function keyOf({ source: _, ...said }: Example): string {
  return JSON.stringify(said);
}
