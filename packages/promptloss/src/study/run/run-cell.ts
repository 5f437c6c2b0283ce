// Runs one cell whose lock the caller has: trains in a process of its own, evaluates, keeps what the study keeps. What
// was done before is not done again; what fails is written down and ends this cell alone.
import { existsSync } from "node:fs";
import { FolderLock, LostLockError } from "../../files/lock.ts";
import type { TrainingEvent } from "../../training/events/event.ts";
import { startTrainingProcess } from "../../training/start-process.ts";
import { StudyError } from "../errors.ts";
import type { DataMeter } from "../plan/measure.ts";
import type { Study } from "../plan/read-study.ts";
import type { CellFolder } from "./cell-folder.ts";
import type { CellFailure, CellState } from "./cell-place.ts";

export interface RunCellOptions {
  readonly meter: DataMeter;
  /** For the training, all its processes together, where the recipe does not say; its own choice where undefined. */
  readonly threads: number | undefined;
  /** Start a training of several processes as a step of the Slurm job at hand, of which each task has `threads`. */
  readonly srun: boolean;
  /** Begin the training anew. */
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  /** @throws {LostLockError} where another process has taken the cell over, and this one must not write to it */
  readonly check: () => void;
  readonly onEvent: (event: TrainingEvent) => void;
}

/**
 * The state that it ends in: done, failed or interrupted.
 * @throws {LostLockError} where another process has taken the cell over; nothing more is written then
 */
export async function runCell(study: Study, folder: CellFolder, options: RunCellOptions): Promise<CellState> {
  folder.create();
  const begun = {
    attempts: (folder.state?.attempts ?? 0) + 1,
    startedAt: new Date().toISOString(),
  };
  let during: CellFailure["during"] = "training";
  const end = (state: Partial<CellState> & Pick<CellState, "state">): CellState => {
    options.check();
    folder.state = { ...begun, ...state, endedAt: new Date().toISOString() };
    return folder.state;
  };
  try {
    folder.state = { ...begun, state: "training" };
    if (options.overwrite || !folder.trained) {
      const whole = await train(folder, options);
      if (!whole) return end({ state: "interrupted" });
    }
    during = "evaluation";
    options.check();
    folder.state = { ...begun, state: "evaluating" };
    const generationRatio = (await options.meter.generationRatio(folder.cell.recipe)) ?? null;
    if (!(await evaluate(folder, options))) return end({ state: "interrupted" });
    options.check();
    folder.prune(study.settings.keep);
    return end({ state: "done", generationRatio });
  } catch (error) {
    if (error instanceof LostLockError) throw error;
    return end({ state: "failed", failure: failureOf(error, during) });
  }
}

/** What the training process said before it failed. */
class FailedRun extends StudyError {
  readonly original: string;

  constructor({ name, message, hint }: Extract<TrainingEvent, { type: "error" }>) {
    super(message, { hint });
    this.original = name;
  }
}

/** What starts a command once for each process of a cell. Newer Slurms' steps don't have the job's cores a task unasked. */
function srunCommand(processes: number, threads: number | undefined): string[] {
  return ["srun", `--ntasks=${processes}`, ...(threads === undefined ? [] : [`--cpus-per-task=${threads}`])];
}

/** False where it was interrupted. */
async function train(
  folder: CellFolder,
  { threads, srun, overwrite, signal, onEvent }: RunCellOptions,
): Promise<boolean> {
  await untilFree(folder, signal);
  if (signal.aborted) return false;
  if (folder.trained && !overwrite) return true;
  const { processes = 1, threads: own } = folder.cell.recipe.training;
  const isStep = srun && processes > 1;
  const each =
    threads === undefined ? undefined : Math.max(1, isStep ? threads : Math.floor(threads / processes));
  const set = each === undefined || own !== undefined ? [] : [`training.threads=${each}`];
  const launcher = isStep ? srunCommand(processes, threads) : [];
  let failure: Extract<TrainingEvent, { type: "error" }> | undefined;
  const { child, done } = startTrainingProcess(
    { file: folder.recipeFile, set, overwrite },
    (event) => {
      if (event.type === "error") failure = event;
      onEvent(event);
    },
    launcher,
  );
  const stop = (): void => {
    child.kill("SIGTERM");
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const code = await done;
    if (failure !== undefined) throw new FailedRun(failure);
    if (code === 0) return true;
    if (signal.aborted || code > 128) return false;
    throw new StudyError(`the training process ended with code ${code}`);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const POLL_MS = 500;

/** A launcher that was killed leaves its training process behind, which goes on: what it does need not be done again. */
async function untilFree({ run }: CellFolder, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && FolderLock.isHeld(run))
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** False where it was interrupted. */
async function evaluate(folder: CellFolder, { signal, threads, check }: RunCellOptions): Promise<boolean> {
  const { run, model, cell } = folder;
  for (const missing of folder.missingTasks) {
    if (signal.aborted) return false;
    const { task, options, evaluator, metric } = missing;
    const { recipe } = cell;
    if (evaluator.readsModel && !existsSync(model))
      throw new StudyError(`${task} needs the model, which was not kept`, {
        hint: "run again with --retry --overwrite to train it anew; keep: model in the study file keeps models",
      });
    const scores = await evaluator.evaluate({ task, options, run, model, recipe, threads, signal });
    if (signal.aborted) return false;
    const named = scores.map((score) => score.metric);
    if (metric !== undefined && !(evaluator.metrics ?? named).includes(metric))
      throw new StudyError(`${task} has no metric ${metric}; it has ${named.join(", ")}`);
    check();
    folder.writeScores(missing, scores);
  }
  return true;
}

function failureOf(error: unknown, during: CellFailure["during"]): CellFailure {
  const { name, message, hint, original } = error as Error & { hint?: string; original?: string };
  return { name: original ?? name, message, during, ...(hint !== undefined && { hint }) };
}
