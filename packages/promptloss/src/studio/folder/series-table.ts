// A run's lines of metrics in at most so many rows: when they are full, each two become one. So a run of a million steps
// is drawn as fast as one of a thousand, and a line that is added changes the last row alone.
import type { MetricsLine } from "../../training/events/metrics-file.ts";
import type { SeriesColumn, TableChange } from "../api.ts";

/** Columns whose rows are means over those lines that say something of them. */
const MEANS: readonly (readonly [SeriesColumn, (line: MetricsLine) => number | undefined])[] = [
  ["loss", ({ loss }) => loss],
  ["promptLoss", ({ prompt }) => prompt?.loss],
  ["promptAccuracy", ({ prompt }) => prompt?.accuracy],
  ["completionLoss", ({ completion }) => completion?.loss],
  ["completionAccuracy", ({ completion }) => completion?.accuracy],
  ["endLoss", ({ end }) => end?.loss],
  ["penalty", (line) => (line.type === "step" ? line.penalty : undefined)],
  ["gradientNorm", (line) => (line.type === "step" ? line.gradientNorm : undefined)],
  ["learningRate", (line) => (line.type === "step" ? line.learningRate : undefined)],
  ["tokensPerSecond", (line) => (line.type === "step" ? line.tokens / line.seconds : undefined)],
  ["memory", (line) => (line.type === "step" ? line.memory : undefined)],
];

/** Sums and counts are by place in {@link MEANS}: a table of thousands of lines is filled without an object for each. */
interface Row {
  lines: number;
  step: number;
  seconds: number;
  low: number;
  high: number;
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
}

/** Columns beside the means. */
const OTHERS = {
  step: ({ step }) => step,
  seconds: ({ seconds }) => seconds,
  lossLow: ({ low }) => low,
  lossHigh: ({ high }) => high,
} satisfies Partial<Record<SeriesColumn, (row: Row) => number>>;

export class SeriesTable {
  readonly #most: number;
  readonly #rows: Row[] = [];
  #width = 1;
  #seconds = 0;
  /** What the last change told: its width, and how many rows stay as they were told. */
  #told = { width: 0, settled: 0 };
  #isNew = true;

  /** @param most rows, an even number */
  constructor(most: number) {
    this.#most = most;
  }

  add(line: MetricsLine): void {
    if (line.type === "step") this.#seconds += line.seconds;
    this.#isNew = true;
    const row = this.#openRow();
    row.lines++;
    row.step = line.step;
    row.seconds = this.#seconds;
    row.low = Math.min(row.low, line.loss);
    row.high = Math.max(row.high, line.loss);
    for (let i = 0; i < MEANS.length; i++) {
      const value = MEANS[i]![1](line);
      if (value === undefined) continue;
      row.sums[i]! += value;
      row.counts[i]!++;
    }
  }

  /** What is new since the last change; undefined where nothing is. */
  change(): TableChange | undefined {
    if (!this.#isNew) return undefined;
    this.#isNew = false;
    const from = this.#told.width === this.#width ? this.#told.settled : 0;
    // The last row may still grow.
    this.#told = { width: this.#width, settled: Math.max(0, this.#rows.length - 1) };
    const rows = this.#rows.slice(from);
    if (rows.length === 0) return { width: this.#width, from, columns: {} };
    const others = Object.entries(OTHERS).map(([name, read]) => [name, rows.map(read)] as const);
    const means = MEANS.flatMap(([name], i) => {
      const values = rows.map(({ sums, counts }) => (counts[i] === 0 ? null : sums[i]! / counts[i]!));
      return values.every((value) => value === null) ? [] : [[name, values] as const];
    });
    return { width: this.#width, from, columns: Object.fromEntries([...others, ...means]) };
  }

  /** The last row, or a new one where it is full. */
  #openRow(): Row {
    if (this.#isFull() && this.#rows.length >= this.#most) this.#halve();
    if (this.#isFull()) this.#rows.push(emptyRow());
    return this.#rows.at(-1)!;
  }

  #isFull(): boolean {
    const last = this.#rows.at(-1);
    return last === undefined || last.lines >= this.#width;
  }

  #halve(): void {
    this.#width *= 2;
    const rows = this.#rows.splice(0);
    for (let i = 0; i < rows.length; i += 2) this.#rows.push(merged(rows[i]!, rows[i + 1]));
  }
}

function emptyRow(): Row {
  return {
    ...{ lines: 0, step: 0, seconds: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY },
    sums: new Float64Array(MEANS.length),
    counts: new Uint32Array(MEANS.length),
  };
}

function merged(a: Row, b: Row | undefined): Row {
  if (b === undefined) return a;
  return {
    ...{ lines: a.lines + b.lines, step: b.step, seconds: b.seconds },
    ...{ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) },
    sums: a.sums.map((sum, i) => sum + b.sums[i]!),
    counts: a.counts.map((count, i) => count + b.counts[i]!),
  };
}
