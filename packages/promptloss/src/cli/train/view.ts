// A run as a person watches it: a header, a table that grows by a line now and then, and on a terminal a bar below it.
// Elsewhere the same lines without the bar.

import { counted } from "../../counted.ts";
import { barLine, columnsOf, ink, rewritten, wrapped } from "../../terminal/index.ts";
import type {
  DownloadEvent,
  EndEvent,
  EvaluationEvent,
  ProgressEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
} from "../../training/events/event.ts";
import { noteLine, warningLine } from "../notes.ts";
import { lineWidth } from "../progress.ts";
import { bytes, count, duration, loss, percent, rate, short } from "./format.ts";

/** Name and width, from left to right, and the order in which columns give way on a narrow terminal: the highest first. */
const COLUMNS = [
  ["step", 8, 0],
  ["loss", 9, 1],
  ["prompt", 8, 4],
  ["content", 8, 2],
  ["end", 8, 5],
  ["correct", 8, 3],
  ["rate", 10, 8],
  ["grad", 8, 9],
  ["tokens/s", 9, 6],
  ["memory", 9, 7],
] as const;

type Column = (typeof COLUMNS)[number];

/** The columns that a terminal has room for; all where the output is none. */
export function columnsThatFit(width: number | undefined): readonly Column[] {
  const kept = new Set<Column>();
  let taken = -1;
  for (const column of [...COLUMNS].sort((a, b) => a[2] - b[2])) {
    taken += column[1] + 1;
    if (width !== undefined && taken > width) break;
    kept.add(column);
  }
  return COLUMNS.filter((column) => kept.has(column));
}

/** Steps whose speed is averaged for the time left. */
const RECENT = 20;

export class TrainView {
  readonly #live = process.stdout.isTTY === true;
  #start: StartEvent | undefined;
  #recent: StepEvent[] = [];
  #stopping = false;
  #barShown = false;
  readonly #columns = columnsThatFit(columnsOf(process.stdout));

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
    this.#lines(linesOf(event, this.#columns));
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
    // A terminal has written ^C where the cursor stood.
    this.#barShown = this.#live;
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
      this.#lines([stepLine(event, this.#speed(), this.#columns)]);
    if (this.#live) this.#showBar(event, steps);
  }

  #speed(): number {
    const sum = (of: (event: StepEvent) => number): number =>
      this.#recent.reduce((total, event) => total + of(event), 0);
    return sum(({ tokens }) => tokens) / sum(({ seconds }) => seconds);
  }

  #showBar({ step, epoch }: StepEvent, steps: number): void {
    const seconds = this.#recent.reduce((sum, event) => sum + event.seconds, 0) / this.#recent.length;
    const left = this.#stopping ? "stopping" : `${duration(seconds * (steps - step))} left`;
    this.#bar(step / steps, `${count(step)}/${count(steps)}  epoch ${epoch}  ${left}`);
  }

  #download({ file, loaded, total }: DownloadEvent): void {
    if (loaded >= total) this.#lines([ink.dim(`${file}: ${bytes(total)} from the hub`)]);
    else if (this.#live) this.#bar(loaded / total, `${bytes(loaded)} of ${bytes(total)}  ${file}`);
  }

  #progress({ phase, done, total, share }: ProgressEvent): void {
    if (!this.#live) return;
    if (total !== undefined) this.#bar(done / total, `${phase}  ${count(done)}/${count(total)} rows`);
    else if (share !== undefined) this.#bar(share, `${phase}  ${counted(done, "row")}`);
    else this.#waiting(`${phase} ${phase === "loading" ? "the model" : "rows"}`);
  }

  /** A line that what comes next takes the place of. */
  #waiting(text: string): void {
    if (!this.#live) return;
    process.stdout.write(rewritten(ink.dim(`${text} …`.slice(0, lineWidth(process.stdout)))));
    this.#barShown = true;
  }

  #bar(share: number, text: string): void {
    process.stdout.write(rewritten(barLine(share, text, lineWidth(process.stdout))));
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
  columns: readonly Column[],
): readonly string[] {
  switch (event.type) {
    case "start":
      return header(event, columns);
    case "evaluation":
      return evaluationLines(event, columns);
    case "checkpoint":
      return [ink.dim(`  checkpoint ${event.path}`)];
    case "note":
      return [noteLine(event.message, process.stdout)];
    case "warning":
      return [warningLine(event, process.stdout)];
    case "end":
      return ending(event);
    case "error":
      return [];
  }
}

function header(event: StartEvent, columns: readonly Column[]): string[] {
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
    ...facts.map(([name, value]) => factLine(name, value)),
    ...notes.map((note) => noteLine(note, process.stdout)),
    "",
    ink.dim(columns.map(([name, width]) => name.padStart(width)).join(" ")),
  ];
}

/** Wrapped before it is colored: colors take no room. */
function factLine(name: string, value: string): string {
  const line = wrapped(`${name.padEnd(6)} ${value}`, columnsOf(process.stdout));
  return `${ink.dim(name)}${line.slice(name.length)}`;
}

function stepLine(event: StepEvent, speed: number, columns: readonly Column[]): string {
  return cellsLine(
    {
      ...lossCells(event),
      rate: rate(event.learningRate),
      grad: event.gradientNorm.toFixed(2),
      "tokens/s": count(Math.round(speed)),
      memory: bytes(event.memory),
    },
    columns,
  );
}

/** Its name behind the numbers, or above them where there is no room. */
function evaluationLines(event: EvaluationEvent, columns: readonly Column[]): string[] {
  const cells = lossCells(event);
  const line = cellsLine(
    cells,
    columns.filter(([name]) => name in cells),
  );
  const name = "held out";
  const best = event.best ? " best" : "";
  const named = `${ink.cyan(name)}${event.best ? ink.green(best) : ""}`;
  const { length } = `${line}  ${name}${best}`;
  if (length > (columnsOf(process.stdout) ?? length)) return [named, ink.cyan(line)];
  return [`${ink.cyan(line)}  ${named}`];
}

type Cells = Readonly<Partial<Record<Column[0], string>>>;

function cellsLine(cells: Cells, columns: readonly Column[]): string {
  return columns.map(([name, width]) => (cells[name] ?? "").padStart(width)).join(" ");
}

/** The columns that steps and evaluations share; `correct` is the content's accuracy. */
function lossCells({ step, loss: value, prompt, content, end }: StepEvent | EvaluationEvent): Cells {
  return {
    step: count(step),
    loss: loss(value),
    prompt: loss(prompt?.loss),
    content: loss(content?.loss),
    end: loss(end?.loss),
    correct: percent(content?.accuracy),
  };
}

function ending({ reason, step, seconds, model, writtenStep, peakMemory }: EndEvent): string[] {
  const how = { completed: "done", "stopped-early": "stopped early", interrupted: "interrupted" }[reason];
  const facts = `${how} after ${counted(step, "step")} and ${duration(seconds)}, peak memory ${bytes(peakMemory)}`;
  const columns = columnsOf(process.stdout);
  const written = writtenStep === undefined ? "" : `, weights of step ${count(writtenStep)}`;
  return [
    "",
    (reason === "interrupted" ? ink.yellow : ink.green)(wrapped(facts, columns)),
    model === undefined
      ? "run the same command again to go on"
      : wrapped(`model in ${model}${written}`, columns),
  ];
}
