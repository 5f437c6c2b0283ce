// A cell's folder: cell.json and recipe.yaml say what it is, state.json how far it came, scores/ what its tasks gave,
// run/ is the training run's own. Only the launcher that has the cell's lock writes here.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { makeFolder, readJson, replaceFile, writeJson } from "../../files/atomic.ts";
import { FolderLock } from "../../files/lock.ts";
import type { Recipe } from "../../recipe/index.ts";
import { finishedEnd, type Manifest } from "../../training/manifest.ts";
import type { TaskScore } from "../evaluate/index.ts";
import type { Cell } from "../plan/cell.ts";
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

/** What of a study its cells' folders depend on: known from the output folder too, without the study file. */
export interface CellsOwner<Task extends CellTask = CellTask>
  extends Pick<Study, "name" | "output" | "kept"> {
  readonly tasks: readonly Task[];
}

/** As a person sees a cell: `waiting` was not begun, or was left by a launcher that is gone. */
export type CellStatus = "waiting" | "running" | "done" | "failed";

export class CellFolder<Task extends CellTask = StudyTask> {
  readonly path: string;
  readonly cell: Cell;
  /** What the table that is kept beside the study file has of it; undefined where it has to be run. */
  readonly kept: readonly ResultRow[] | undefined;
  readonly #tasks: readonly Task[];
  readonly #study: string;

  constructor(study: CellsOwner<Task>, cell: Cell) {
    this.path = join(study.output, "cells", cell.id);
    this.cell = cell;
    this.kept = study.kept?.cells.get(cell.id);
    this.#tasks = study.tasks;
    this.#study = study.name;
  }

  get run(): string {
    return join(this.path, "run");
  }

  get model(): string {
    return join(this.run, "model");
  }

  get recipeFile(): string {
    return join(this.path, "recipe.yaml");
  }

  /** Makes the folder and says in it what it is. */
  create(): void {
    makeFolder(join(this.path, "scores"));
    writeJson(join(this.path, "cell.json"), this.cell);
    replaceFile(
      this.recipeFile,
      stringify({ ...this.cell.recipe, logging: this.#logging, output: this.run }),
    );
  }

  /** With what tells the cell's run from others where it is reported. */
  get #logging(): Recipe["logging"] {
    const { recipe, id, levels } = this.cell;
    const { logging } = recipe;
    if (!logging.reportTo.some((name) => name !== "tensorboard")) return logging;
    const factors = Object.entries(levels).map(([name, level]) => [`factor.${name}`, String(level)]);
    return {
      ...logging,
      runName: `${logging.runName ?? this.#study} ${id}`,
      tags: { ...logging.tags, study: this.#study, cell: id, ...Object.fromEntries(factors) },
    };
  }

  get state(): CellState | undefined {
    return readJson<CellState>(join(this.path, "state.json"));
  }

  set state(state: CellState) {
    writeJson(join(this.path, "state.json"), state);
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
    return readJson<{ scores: TaskScore[] }>(this.#scoresFile(task))?.scores;
  }

  writeScores(task: CellTask, scores: readonly TaskScore[]): void {
    writeJson(this.#scoresFile(task), { task: task.task, options: task.options, scores });
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

  /** Removes what the study does not keep of a finished cell. */
  prune(keep: Study["settings"]["keep"]): void {
    if (keep === "all") return;
    rmSync(join(this.run, "checkpoints"), { recursive: true, force: true });
    if (keep === "scores") rmSync(this.model, { recursive: true, force: true });
  }

  /** By what decides on the scores: its group and metric do not matter. */
  #scoresFile({ task, address }: CellTask): string {
    return join(this.path, "scores", `${task.replaceAll(/[^\w.-]/g, "_")}-${address}.json`);
  }
}
