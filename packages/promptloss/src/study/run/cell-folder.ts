// A cell's folder: cell.json and recipe.yaml say what it is, state.json how far it came, scores/ what its tasks gave,
// run/ is the training run's own. Only the launcher that has the cell's lock writes here.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { makeFolder, replaceFile, writeJson } from "../../files/atomic.ts";
import type { Recipe } from "../../recipe/index.ts";
import type { TaskScore } from "../evaluate/index.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study, StudyTask } from "../plan/read-study.ts";
import { CellPlace, type CellState, type CellsOwner } from "./cell-place.ts";

export class CellFolder extends CellPlace<StudyTask> {
  readonly cell: Cell;
  readonly #study: string;

  constructor(study: CellsOwner<StudyTask> & Pick<Study, "name">, cell: Cell) {
    super(study, cell.id);
    this.cell = cell;
    this.#study = study.name;
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

  override get state(): CellState | undefined {
    return super.state;
  }

  override set state(state: CellState) {
    writeJson(join(this.path, "state.json"), state);
  }

  writeScores(task: StudyTask, scores: readonly TaskScore[]): void {
    writeJson(this.scoresFile(task), { task: task.task, options: task.options, scores });
  }

  /** Removes what the study does not keep of a finished cell. */
  prune(keep: Study["settings"]["keep"]): void {
    if (keep === "all") return;
    rmSync(join(this.run, "checkpoints"), { recursive: true, force: true });
    if (keep === "scores") rmSync(this.model, { recursive: true, force: true });
  }
}
