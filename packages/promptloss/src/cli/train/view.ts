// A run as a person watches it: a header, a table that grows by a line now and then, and on a terminal a bar below it.
// Elsewhere the same lines without the bar.

import { ink, rewritten } from "../../terminal/index.ts";
import type {
  DownloadEvent,
  EndEvent,
  EvaluationEvent,
  ProgressEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
} from "../../training/events/event.ts";
import { noteLine } from "../notes.ts";
import { bytes, count, counted, duration, loss, percent, rate, short } from "./format.ts";

const COLUMNS = [
  ["step", 8],
  ["loss", 9],
  ["prompt", 8],
  ["content", 8],
  ["end", 8],
  ["correct", 8],
  ["rate", 10],
  ["grad", 8],
  ["tokens/s", 9],
  ["memory", 9],
] as const;

const BAR = 24;
/** Steps whose speed is averaged for the time left. */
const RECENT = 20;

export class TrainView {
  readonly #live = process.stdout.isTTY === true;
  #start: StartEvent | undefined;
  #recent: StepEvent[] = [];
  #stopping = false;
  #barShown = false;

  show(event: TrainingEvent): void {
    if (event.type === "step") {
      this.#step(event);
      return;
    }
    if (event.type === "download") {
      this.#download(event);
      return;
    }
    if (event.type === "progress") {
      this.#progress(event);
      return;
    }
    if (event.type === "start") this.#start = event;
    this.#lines(linesOf(event));
    if (event.type === "start") this.#waiting(`step ${count(event.firstStep + 1)} of ${count(event.steps)}`);
  }

  /** What is shown before the first event: a process that starts. */
  begin(): void {
    this.#waiting("starting");
  }

  /** A signal came: the step at hand is finished first. */
  interrupt(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#lines([noteLine("stopping after this step, with a checkpoint", process.stdout)]);
  }

  end(): void {
    this.#clearBar();
  }

  #step(event: StepEvent): void {
    this.#recent = [...this.#recent.slice(1 - RECENT), event];
    const { steps = event.step, firstStep = 0 } = this.#start ?? {};
    const every = Math.max(1, Math.round(steps / 50));
    if (event.step === firstStep + 1 || event.step % every === 0 || event.step === steps)
      this.#lines([stepLine(event, this.#speed())]);
    if (this.#live) this.#showBar(event, steps);
  }

  #speed(): number {
    const sum = (of: (event: StepEvent) => number): number =>
      this.#recent.reduce((total, event) => total + of(event), 0);
    return sum(({ tokens }) => tokens) / sum(({ seconds }) => seconds);
  }

  #showBar({ step, epoch }: StepEvent, steps: number): void {
    const seconds = this.#recent.reduce((sum, event) => sum + event.seconds, 0) / this.#recent.length;
    const left = duration(seconds * (steps - step));
    this.#bar(step / steps, `${count(step)}/${count(steps)}  epoch ${epoch}  ${left} left`);
  }

  #download({ file, loaded, total }: DownloadEvent): void {
    if (loaded >= total) this.#lines([ink.dim(`${file}: ${bytes(total)} from the hub`)]);
    else if (this.#live) this.#bar(loaded / total, `${bytes(loaded)} of ${bytes(total)}  ${file}`);
  }

  #progress({ phase, done, total }: ProgressEvent): void {
    if (!this.#live) return;
    if (total !== undefined) this.#bar(done / total, `${phase}  ${count(done)}/${count(total)} rows`);
    else this.#waiting(done === 0 ? `${phase} the model` : `${phase}  ${counted(done, "row")}`);
  }

  /** A line that what comes next takes the place of. */
  #waiting(text: string): void {
    if (!this.#live) return;
    process.stdout.write(rewritten(ink.dim(`${text} …`)));
    this.#barShown = true;
  }

  #bar(share: number, text: string): void {
    const filled = Math.round(BAR * share);
    const bar = "━".repeat(filled) + ink.dim("━".repeat(BAR - filled));
    process.stdout.write(rewritten(`${bar} ${text}`));
    this.#barShown = true;
  }

  #clearBar(): void {
    if (this.#barShown) process.stdout.write(rewritten(""));
    this.#barShown = false;
  }

  #lines(lines: readonly string[]): void {
    this.#clearBar();
    for (const line of lines) process.stdout.write(`${line}\n`);
  }
}

function linesOf(
  event: Exclude<TrainingEvent, StepEvent | DownloadEvent | ProgressEvent>,
): readonly string[] {
  switch (event.type) {
    case "start":
      return header(event);
    case "evaluation":
      return [evaluationLine(event)];
    case "checkpoint":
      return [ink.dim(`  checkpoint ${event.path}`)];
    case "note":
      return [noteLine(event.message, process.stdout)];
    case "end":
      return ending(event);
    case "error":
      return [];
  }
}

function header(event: StartEvent): string[] {
  const { steps, epochs, rows, heldOutRows, tokens, parameters, trainable, notes } = event;
  const heldOut = heldOutRows === 0 ? "" : `, ${count(heldOutRows)} held out`;
  const trained = trainable === parameters ? "" : `, ${short(trainable)} trained`;
  const together = event.processes === undefined ? "" : ` in each of ${event.processes} processes`;
  const facts = [
    ["model", `${event.model}  ${short(parameters)} parameters${trained}`],
    ["data", `${counted(rows, "row")}, ${short(tokens)} tokens an epoch${heldOut}`],
    ["loss", `prompt loss weight ${event.promptLossWeight}, ${event.normalization}`],
    ["run", `${counted(steps, "step")}, ${counted(epochs, "epoch")}, into ${event.run}`],
    ["on", `${event.device}, ${event.precision}, ${counted(event.threads, "thread")}${together}`],
  ] as const;
  return [
    ...facts.map(([name, value]) => `${ink.dim(name.padEnd(6))} ${value}`),
    ...notes.map((note) => noteLine(note, process.stdout)),
    "",
    ink.dim(COLUMNS.map(([name, width]) => name.padStart(width)).join(" ")),
  ];
}

function stepLine(event: StepEvent, speed: number): string {
  const cells = [
    ...lossCells(event),
    rate(event.learningRate),
    event.gradientNorm.toFixed(2),
    count(Math.round(speed)),
    bytes(event.memory),
  ];
  return cells.map((cell, i) => cell.padStart(COLUMNS[i]![1])).join(" ");
}

function evaluationLine(event: EvaluationEvent): string {
  const line = lossCells(event)
    .map((cell, i) => cell.padStart(COLUMNS[i]![1]))
    .join(" ");
  return `${ink.cyan(line)}  ${ink.cyan("held out")}${event.best ? ink.green(" best") : ""}`;
}

/** The columns that steps and evaluations share; `correct` is the content's accuracy. */
function lossCells({ step, loss: value, prompt, content, end }: StepEvent | EvaluationEvent): string[] {
  return [
    count(step),
    ...[value, prompt?.loss, content?.loss, end?.loss].map(loss),
    percent(content?.accuracy),
  ];
}

function ending({ reason, step, seconds, model, writtenStep, peakMemory }: EndEvent): string[] {
  const how = { completed: "done", "stopped-early": "stopped early", interrupted: "interrupted" }[reason];
  const facts = `${how} after ${counted(step, "step")} and ${duration(seconds)}, peak memory ${bytes(peakMemory)}`;
  const written = writtenStep === undefined ? "" : `, weights of step ${count(writtenStep)}`;
  return [
    "",
    reason === "interrupted" ? ink.yellow(facts) : ink.green(facts),
    model === undefined ? "run the same command again to go on" : `model in ${model}${written}`,
  ];
}
