// A study as a person watches it run: a line a finished cell, and on a terminal the cells at work below.
import type { RunStudySummary, Study, StudyEvent } from "../../study/index.ts";
import { CellFolder } from "../../study/run/cell-folder.ts";
import { ink } from "../../terminal/index.ts";
import { duration, loss } from "../train/format.ts";
import { LiveLines } from "./live-lines.ts";
import { cellName } from "./study-file.ts";

interface AtWork {
  readonly name: string;
  step: number;
  steps: number;
  loss: number | undefined;
}

export class RunView {
  readonly #study: Study;
  readonly #lines = new LiveLines(process.stdout);
  readonly #atWork = new Map<string, AtWork>();
  readonly #started = new Map<string, number>();
  #ended = 0;

  constructor(study: Study) {
    this.#study = study;
    this.#lines.print(`${ink.dim("study")}  ${study.name}: ${study.cells.length} cells into ${study.output}`);
  }

  show(event: StudyEvent): void {
    const { cell } = event;
    const name = cellName(cell.levels);
    switch (event.type) {
      case "cell-start":
        this.#atWork.set(cell.id, { name, step: 0, steps: 0, loss: undefined });
        this.#started.set(cell.id, Date.now());
        break;
      case "elsewhere":
        this.#lines.print(`${ink.dim("·")} ${cell.id}  ${name}  ${ink.dim("another launcher has it")}`);
        break;
      case "training": {
        const at = this.#atWork.get(cell.id)!;
        if (event.event.type === "start") at.steps = event.event.steps;
        else if (event.event.type === "step") [at.step, at.loss] = [event.event.step, event.event.loss];
        break;
      }
      case "cell-end":
        this.#atWork.delete(cell.id);
        this.#ended++;
        this.#lines.print(this.#ending(event, name));
        break;
    }
    this.#lines.show([...this.#atWork.values()].map(workLine));
  }

  stopping(): void {
    this.#lines.print(`${ink.yellow("!")} stopping after the step at hand, with checkpoints`);
  }

  end({ done, failed, interrupted, elsewhere, untouched }: RunStudySummary): void {
    this.#lines.show([]);
    const parts = [
      [done, "done"],
      [failed, "failed"],
      [interrupted, "interrupted"],
      [elsewhere, "with another launcher"],
      [untouched, "done or failed before"],
    ] as const;
    const text = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    this.#lines.print(`\n${text.join(", ")}; results in ${this.#study.output}/results.csv`);
  }

  #ending({ cell, state }: Extract<StudyEvent, { type: "cell-end" }>, name: string): string {
    const took = duration((Date.now() - this.#started.get(cell.id)!) / 1000);
    const place = ink.dim(`${this.#ended}/${this.#study.cells.length}`);
    if (state.state === "failed") {
      const { message, hint } = state.failure!;
      const advice = hint === undefined ? "" : `\n  ${ink.dim(`hint: ${hint}`)}`;
      return `${ink.red("✗")} ${place} ${cell.id}  ${name}  ${ink.red(message)}${advice}`;
    }
    if (state.state === "interrupted") return `${ink.yellow("‖")} ${place} ${cell.id}  ${name}  interrupted`;
    return `${ink.green("✓")} ${place} ${cell.id}  ${name}  ${this.#scores(cell)}${took}`;
  }

  /** The metric that stands for each task. */
  #scores(cell: StudyEvent["cell"]): string {
    const folder = new CellFolder(this.#study, cell);
    return this.#study.tasks
      .flatMap((task) =>
        (folder.scores(task) ?? [])
          .filter(({ metric, primary }) => (task.metric === undefined ? primary : metric === task.metric))
          .map(({ metric, value }) => `${task.task} ${metric} ${value.toFixed(4)}  `),
      )
      .join("");
  }
}

function workLine({ name, step, steps, loss: value }: AtWork): string {
  return `  ${name}  ${steps === 0 ? "begins" : `step ${step}/${steps}  loss ${loss(value)}`}`;
}
