// A study as a person watches it run: a line a finished cell, and on a terminal the cells at work below.
import { counted } from "../../counted.ts";
import { type RunStudySummary, type Study, type StudyEvent, studyStatus } from "../../study/index.ts";
import { CellFolder } from "../../study/run/cell-folder.ts";
import { ink } from "../../terminal/index.ts";
import { LiveLines } from "../../terminal/live-lines.ts";
import { warningLine } from "../notes.ts";
import { duration, loss } from "../train/format.ts";
import { cellName } from "./study-file.ts";

interface AtWork {
  readonly name: string;
  step: number;
  steps: number;
  loss: number | undefined;
  /** What goes on between steps, in words. */
  phase: string | undefined;
}

export class RunView {
  readonly #study: Study;
  readonly #lines = new LiveLines(process.stdout);
  readonly #atWork = new Map<string, AtWork>();
  readonly #started = new Map<string, number>();
  /** Seconds of each cell that ended here. */
  readonly #took: number[] = [];
  /** Cells that were not done when the run began. */
  readonly #left: number;
  #ended = 0;

  constructor(study: Study) {
    this.#study = study;
    this.#left = studyStatus(study).cells.filter(({ status }) => status !== "done").length;
    this.#lines.print(
      `${ink.dim("study")}  ${study.name}: ${counted(study.cells.length, "cell")} into ${study.output}`,
    );
  }

  show(event: StudyEvent): void {
    const { cell } = event;
    const name = cellName(cell.levels);
    switch (event.type) {
      case "cell-start":
        this.#atWork.set(cell.id, { name, step: 0, steps: 0, loss: undefined, phase: undefined });
        this.#started.set(cell.id, Date.now());
        break;
      case "elsewhere":
        this.#lines.print(`${ink.dim("·")} ${cell.id}  ${name}  ${ink.dim("another launcher has it")}`);
        break;
      case "training": {
        const at = this.#atWork.get(cell.id)!;
        if (event.event.type === "start") at.steps = event.event.steps;
        else if (event.event.type === "step")
          [at.step, at.loss, at.phase] = [event.event.step, event.event.loss, undefined];
        else if (event.event.type === "progress") at.phase = event.event.phase;
        else if (event.event.type === "warning")
          this.#lines.print(warningLine(event.event, process.stdout, `${cell.id}  `));
        break;
      }
      case "cell-end":
        this.#atWork.delete(cell.id);
        this.#ended++;
        this.#took.push((Date.now() - this.#started.get(cell.id)!) / 1000);
        this.#lines.print(this.#ending(event, name));
        break;
    }
    this.#lines.show([...[...this.#atWork.values()].map(workLine), ...this.#timeLeft()]);
  }

  /** From the cells that ended here: their mean time, for those that are left, as many at a time as run now. */
  #timeLeft(): string[] {
    if (this.#took.length === 0) return [];
    const mean = this.#took.reduce((sum, seconds) => sum + seconds, 0) / this.#took.length;
    const now = Date.now();
    const atWork = [...this.#atWork.keys()].map((id) => (now - this.#started.get(id)!) / 1000);
    const waiting = this.#left - this.#ended - atWork.length;
    const work = waiting * mean + atWork.reduce((sum, seconds) => sum + Math.max(0, mean - seconds), 0);
    const seconds = work / Math.max(1, atWork.length);
    return [ink.dim(`  about ${duration(seconds)} left, ${counted(waiting, "cell")} waiting`)];
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

function workLine({ name, step, steps, loss: value, phase }: AtWork): string {
  const steady = steps === 0 ? "begins" : `step ${step}/${steps}  loss ${loss(value)}`;
  return `  ${name}  ${phase ?? steady}`;
}
