// The runs of a search as a study file, so that cells, locks, launchers and results are a study's own. The file is
// written anew as runs are added; a cell's address is its recipe's, so finished cells stay.
import { basename, join, resolve } from "node:path";
import { stringify } from "yaml";
import { makeFolder, replaceFile } from "../../files/atomic.ts";
import type { Cell } from "../plan/cell.ts";
import { readStudy, type Study } from "../plan/read-study.ts";

export interface AskedRun {
  readonly plw: number;
  readonly learningRate: number;
  /** By recipe key. */
  readonly other?: Readonly<Record<string, unknown>> | undefined;
  readonly seed: number;
}

export interface RunsStudyOptions {
  /** "search" or "final". */
  readonly name: string;
  readonly recipe: string;
  readonly output: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly task: string;
  readonly metric: string | undefined;
  readonly taskData: string | undefined;
  readonly slurm: unknown;
}

/** Writes the file and reads it as a study. */
export function studyOfRuns(runs: readonly AskedRun[], options: RunsStudyOptions): Study {
  const { name, recipe, output, set, task, metric, taskData, slurm } = options;
  const others = runs.some(({ other }) => other !== undefined);
  const factors = {
    plw: distinct(runs.map(({ plw }) => plw)),
    learningRate: { key: "training.learningRate", levels: distinct(runs.map((run) => run.learningRate)) },
    ...(others && {
      others: {
        levels: distinct(runs.map(({ other }) => labelOf(other))).map((label) => ({
          label,
          set: runs.find(({ other }) => labelOf(other) === label)!.other!,
        })),
      },
    }),
    seed: distinct(runs.map(({ seed }) => seed)),
  };
  const file = join(output, `${name}.yaml`);
  const document = {
    ...{
      name: `${basename(output).replaceAll(/[^\w.-]/g, "_")}-${name}`,
      recipe: resolve(recipe),
      set,
      factors,
    },
    only: runs.map((run) => levelsOf(run, others)),
    tasks: [{ task, ...(metric !== undefined && { metric }) }],
    ...(taskData !== undefined && { taskData: resolve(taskData) }),
    ...{ output: resolve(output, name), keep: "scores" },
    ...(slurm !== undefined && { slurm }),
  };
  makeFolder(output);
  replaceFile(
    file,
    `# Written by promptloss tune, and again with each run that it adds.\n${stringify(document)}`,
  );
  return readStudy(file);
}

/** @returns the run's cell */
export function cellOf({ cells }: Study, run: AskedRun): Cell {
  const wanted = Object.entries(levelsOf(run, run.other !== undefined));
  return cells.find(({ levels }) => wanted.every(([name, label]) => levels[name] === label))!;
}

function levelsOf(
  { plw, learningRate, other, seed }: AskedRun,
  others: boolean,
): Record<string, string | number> {
  return {
    ...{ plw, learningRate, seed },
    ...(others && { others: labelOf(other) }),
  };
}

export function labelOf(other: AskedRun["other"]): string {
  return Object.entries(other ?? {})
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(" ");
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
