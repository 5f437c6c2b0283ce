// The cells of a search: run by the launcher that is asked for, their scores read back.
import { StudyError } from "../errors.ts";
import { runStudy, type StudyEvent } from "../launch/run-study.ts";
import { submitStudy } from "../launch/slurm.ts";
import type { Study } from "../plan/read-study.ts";
import { CellFolder } from "../run/cell-folder.ts";
import type { TuneEvent } from "./report.ts";
import { type AskedRun, cellOf } from "./study-of-runs.ts";

export interface TuneOptions {
  readonly launcher?: "local" | "slurm";
  readonly concurrency?: number | undefined;
  readonly retry?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TuneEvent) => void;
  readonly onStudy?: (event: StudyEvent) => void;
}

/** False where some are not done yet. */
export async function runCells(
  study: Study,
  runs: readonly AskedRun[],
  { launcher = "local", concurrency, retry = false, signal, onStudy }: TuneOptions,
): Promise<boolean> {
  const only = runs.map((run) => cellOf(study, run).id);
  const folders = study.cells
    .filter(({ id }) => only.includes(id))
    .map((cell) => new CellFolder(study, cell));
  if (folders.some(({ finished }) => !finished)) {
    if (launcher === "slurm")
      submitStudy(study, { only, retry, ...(concurrency !== undefined && { concurrency }) });
    else
      await runStudy(study, {
        ...{ only, retry },
        ...(concurrency !== undefined && { concurrency }),
        ...(signal !== undefined && { signal }),
        ...(onStudy !== undefined && { onEvent: onStudy }),
      });
  }
  const failed = folders.find(({ status }) => status === "failed");
  // With Slurm and --retry a failed cell is in the queue again.
  if (failed !== undefined && (launcher === "local" || !retry))
    throw new StudyError(`cell ${failed.cell.id} failed: ${failed.state?.failure?.message}`, {
      hint: "mend it and run the same command with --retry",
    });
  return folders.every(({ finished }) => finished);
}

export interface Found {
  readonly metric: string;
  readonly value: number;
  readonly higherIsBetter: boolean;
}

/** The value of the study's task, which is one. */
export function scoreOf(study: Study, run: AskedRun): Found {
  const [task] = study.tasks;
  const scores = new CellFolder(study, cellOf(study, run)).scores(task!) ?? [];
  const score = scores.find(({ metric, primary }) =>
    task!.metric === undefined ? primary : metric === task!.metric,
  );
  if (score === undefined)
    throw new StudyError(`${task!.task} has no ${task!.metric ?? "metric that stands for it"} here`, {
      hint: `it has ${scores.map(({ metric }) => metric).join(", ")}`,
    });
  const { metric, value, higherIsBetter } = score;
  // JSON has no word for a value that is no number.
  return { metric, value: value ?? Number.NaN, higherIsBetter };
}

/** Of a finished cell, by its own clock: waiting in a queue does not count. */
export function secondsOf(study: Study, run: AskedRun): number {
  const { startedAt, endedAt } = new CellFolder(study, cellOf(study, run)).state ?? {};
  return startedAt === undefined || endedAt === undefined
    ? 0
    : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
}

export function objectiveOf(text: string): [string, string | undefined] {
  const [task, metric, ...more] = text.trim().split(/\s+/);
  if (task === undefined || task === "" || more.length > 0)
    throw new StudyError(`${JSON.stringify(text)} is no objective`, { hint: 'a task, or "task metric"' });
  return [task, metric ?? (task === "held-out" ? "content_loss" : undefined)];
}
