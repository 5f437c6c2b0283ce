// The local launcher: cells one after the other or a few at a time, each in processes of its own, those that another
// launcher has left to it. Run again, it does only what is missing.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { makeFolder } from "../../files/atomic.ts";
import { FolderLock, LostLockError } from "../../files/lock.ts";
import type { TrainingEvent } from "../../training/events/event.ts";
import { checkSinks } from "../../training/events/sinks/sinks.ts";
import { StudyError } from "../errors.ts";
import type { Cell } from "../plan/cell.ts";
import { DataMeter } from "../plan/measure.ts";
import type { Study } from "../plan/read-study.ts";
import { CellFolder } from "../run/cell-folder.ts";
import { writeCellList } from "../run/cell-list.ts";
import type { CellState } from "../run/cell-place.ts";
import { writeResults } from "../run/collect-results.ts";
import { runCell } from "../run/run-cell.ts";
import { checkStudyOutput } from "./check-output.ts";

export type StudyEvent =
  | { readonly type: "cell-start"; readonly cell: Cell; readonly attempt: number }
  | { readonly type: "training"; readonly cell: Cell; readonly event: TrainingEvent }
  | { readonly type: "cell-end"; readonly cell: Cell; readonly state: CellState }
  /** Another launcher has it. */
  | { readonly type: "elsewhere"; readonly cell: Cell };

export interface RunStudyOptions {
  /** Cells at a time; the study file's where left out. */
  readonly concurrency?: number;
  /** Begin failed cells again, from their checkpoints. */
  readonly retry?: boolean;
  /** Begin the trainings of cells that are not done anew. */
  readonly overwrite?: boolean;
  /** Ids of the cells to run; all where left out. */
  readonly only?: readonly string[];
  /** Wait for the cells that other launchers have, and take those that they leave undone. */
  readonly waits?: boolean;
  /** Start the training of a cell of several processes as a step of the Slurm job that this runs in. */
  readonly srun?: boolean;
  /** Ends cells after the step at hand, with a checkpoint, and begins no more. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: StudyEvent) => void;
}

export interface RunStudySummary {
  readonly done: number;
  readonly failed: number;
  readonly interrupted: number;
  /** Cells that another launcher had; of those that are waited for, the ones that it still has. */
  readonly elsewhere: number;
  /** Cells that were done before or by others, or failed before and were not to be retried. */
  readonly untouched: number;
}

/**
 * Runs the cells of a study that are not done.
 * @throws {StudyError} for ids that are no cell's; {TrainingError} where runs are reported to what is not said; {OutputError} for an output that can't be written, or that would overwrite
 *   what the study reads
 * @example
 * ```ts
 * import { readStudy, runStudy } from "promptloss";
 *
 * const { done, failed } = await runStudy(readStudy("study.yaml"), { concurrency: 1 });
 * console.log(`${done} cells done, ${failed} failed`);
 * ```
 */
export async function runStudy(study: Study, options: RunStudyOptions = {}): Promise<RunStudySummary> {
  const queue = chosenCells(study, options.only);
  for (const cell of queue) if (!new CellFolder(study, cell).finished) checkSinks(cell.recipe, process.env);
  await checkStudyOutput(study);
  makeFolder(study.output);
  writeCellList(study);
  const summary = await new Launch(study, options, queue).run();
  writeResults(study);
  return summary;
}

/** One launcher's way through the cells: its workers take them from one queue. */
class Launch {
  readonly #study: Study;
  readonly #options: RunStudyOptions;
  readonly #onEvent: (event: StudyEvent) => void;
  readonly #queue: Cell[];
  readonly #workers: number;
  readonly #meter = new DataMeter();
  readonly #counts = { done: 0, failed: 0, interrupted: 0, untouched: 0 };
  /** Of those that others have: waited for, in the order in which they were found. */
  readonly #left: Cell[] = [];
  readonly #seen = new Set<string>();
  /** What goes wrong outside a cell, a full disk say, ends all of them. */
  readonly #trouble = new AbortController();
  readonly #signal: AbortSignal;

  constructor(study: Study, options: RunStudyOptions, queue: Cell[]) {
    const { concurrency = study.settings.concurrency, onEvent = () => {}, signal } = options;
    this.#study = study;
    this.#options = options;
    this.#onEvent = onEvent;
    this.#queue = queue;
    this.#workers = Math.min(concurrency, queue.length);
    this.#signal = AbortSignal.any([this.#trouble.signal, ...(signal ? [signal] : [])]);
  }

  async run(): Promise<RunStudySummary> {
    const endings = await Promise.allSettled(
      Array.from({ length: this.#workers }, () =>
        this.#work().catch((error: unknown) => {
          this.#trouble.abort();
          throw error;
        }),
      ),
    );
    for (const ending of endings) if (ending.status === "rejected") throw ending.reason;
    return { ...this.#counts, elsewhere: this.#left.length };
  }

  async #work(): Promise<void> {
    while (!this.#signal.aborted) {
      const cell = this.#queue.shift();
      if (cell !== undefined) await this.#take(cell);
      else if (!this.#options.waits || this.#left.length === 0) return;
      else {
        await delay(POLL, undefined, { signal: this.#signal }).catch(() => {});
        this.#queue.push(...this.#left.splice(0));
      }
    }
  }

  /** Runs a cell, unless there is nothing left to do or another launcher has it. */
  async #take(cell: Cell): Promise<void> {
    const folder = new CellFolder(this.#study, cell);
    // What failed with another launcher while this one waited was tried again just now.
    const retry = this.#options.retry === true && !this.#seen.has(cell.id);
    if (isSettled(folder, retry)) {
      this.#counts.untouched++;
      return;
    }
    using lock = FolderLock.take(folder.path);
    if (lock === undefined) this.#leave(cell);
    // Another launcher may have finished it between the look and the lock.
    else if (isSettled(folder, retry, true)) this.#counts.untouched++;
    else await this.#run(cell, folder, lock);
  }

  async #run(cell: Cell, folder: CellFolder, lock: FolderLock): Promise<void> {
    const { overwrite = false, srun = false } = this.#options;
    this.#onEvent({ type: "cell-start", cell, attempt: (folder.state?.attempts ?? 0) + 1 });
    const state = await runCell(this.#study, folder, {
      ...{ meter: this.#meter, threads: threadsFor(this.#workers), overwrite, srun, signal: this.#signal },
      check: () => lock.check(),
      onEvent: (event) => this.#onEvent({ type: "training", cell, event }),
    }).catch((error: unknown) => {
      if (error instanceof LostLockError) return undefined;
      throw error;
    });
    if (state === undefined) {
      this.#leave(cell);
      return;
    }
    this.#counts[state.state as "done" | "failed" | "interrupted"]++;
    this.#onEvent({ type: "cell-end", cell, state });
    // All records are read once, at the end.
    if (state.state === "done") writeResults(this.#study, { paired: false });
  }

  #leave(cell: Cell): void {
    this.#left.push(cell);
    if (!this.#seen.has(cell.id)) this.#onEvent({ type: "elsewhere", cell });
    this.#seen.add(cell.id);
  }
}

/** How often cells that others have are looked at, in milliseconds. */
const POLL = 2000;

/** An even share of the cores that there are, or that Slurm gave; the training's own choice where it has them all. */
function threadsFor(workers: number): number | undefined {
  const given = Number(process.env.SLURM_CPUS_PER_TASK ?? 0);
  if (workers <= 1 && given === 0) return undefined;
  return Math.max(1, Math.floor((given || availableParallelism()) / Math.max(1, workers)));
}

function chosenCells(study: Study, only: readonly string[] | undefined): Cell[] {
  if (only === undefined) return [...study.cells];
  return only.map((id) => {
    const cell = study.cells.find((each) => each.id === id);
    if (cell === undefined)
      throw new StudyError(`${study.file}: there is no cell ${id}`, {
        hint: "promptloss study plan lists the cells; a changed recipe gives a cell another id",
      });
    return cell;
  });
}

/** @param locked whether this process has the cell's lock, so that nobody else is at it */
function isSettled(folder: CellFolder, retry: boolean, locked = false): boolean {
  if (folder.kept !== undefined) return true;
  if (!existsSync(folder.path)) return false;
  if (folder.state?.state === "failed") return !retry && (locked || !FolderLock.isHeld(folder.path));
  return folder.finished;
}
