// A cell as its folder tells it: how far it came and what its tasks gave. Known without the study file, by whoever sees
// the study's output.
import { join } from "node:path";
import { readJson } from "../../files/atomic.ts";
import { FolderLock } from "../../files/lock.ts";
import { finishedEnd, type Manifest } from "../../training/manifest.ts";
import type { TaskScore } from "../evaluate/index.ts";
import type { Study, StudyTask } from "../plan/read-study.ts";
import type { ResultRow } from "../results/result-row.ts";

export interface CellFailure {
  readonly name: string;
  readonly message: string;
  readonly hint?: string;
  /** What failed. */
  readonly during: "training" | "evaluation";
}

export interface CellState {
  readonly state: "training" | "evaluating" | "done" | "failed" | "interrupted";
  /** How often the cell was begun. */
  readonly attempts: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly failure?: CellFailure;
  /** Rg of the training data; null where it has no prompts. */
  readonly generationRatio?: number | null;
}

/** Of a task, what names its scores. */
export type CellTask = Pick<StudyTask, "task" | "options" | "address">;

/** What of a study its cells' places depend on. */
export interface CellsOwner<Task extends CellTask = CellTask> extends Pick<Study, "output" | "kept"> {
  readonly tasks: readonly Task[];
}

/** As a person sees a cell: `waiting` was not begun, or was left by a launcher that is gone. */
export type CellStatus = "waiting" | "running" | "done" | "failed";

export class CellPlace<Task extends CellTask = CellTask> {
  readonly path: string;
  /** What the table that is kept beside the study file has of it; undefined where it has to be run. */
  readonly kept: readonly ResultRow[] | undefined;
  readonly #tasks: readonly Task[];

  constructor(study: CellsOwner<Task>, id: string) {
    this.path = join(study.output, "cells", id);
    this.kept = study.kept?.cells.get(id);
    this.#tasks = study.tasks;
  }

  get run(): string {
    return join(this.path, "run");
  }

  get model(): string {
    return join(this.run, "model");
  }

  get state(): CellState | undefined {
    return readJson<CellState>(join(this.path, "state.json"));
  }

  get manifest(): Manifest | undefined {
    return readJson<Manifest>(join(this.run, "manifest.json"));
  }

  /** Whether training came to its end. */
  get trained(): boolean {
    return finishedEnd(this.manifest) !== undefined;
  }

  /** Tasks that have no scores yet. */
  get missingTasks(): Task[] {
    return this.#tasks.filter((task) => this.scores(task) === undefined);
  }

  scores(task: CellTask): readonly TaskScore[] | undefined {
    return readJson<{ scores: TaskScore[] }>(this.scoresFile(task))?.scores;
  }

  get status(): CellStatus {
    if (FolderLock.isHeld(this.path)) return "running";
    if (this.finished) return "done";
    return this.state?.state === "failed" ? "failed" : "waiting";
  }

  /** Whether nothing is left to do: trained, and every task of the study scored, here or elsewhere. */
  get finished(): boolean {
    return this.kept !== undefined || this.finishedHere;
  }

  get finishedHere(): boolean {
    return this.state?.state === "done" && this.trained && this.missingTasks.length === 0;
  }

  /** By what decides on the scores: its group and metric do not matter. */
  protected scoresFile({ task, address }: CellTask): string {
    return join(this.path, "scores", `${task.replaceAll(/[^\w.-]/g, "_")}-${address}.json`);
  }
}
