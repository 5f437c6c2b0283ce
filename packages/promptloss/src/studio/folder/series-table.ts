// A run's lines of metrics in at most so many rows: when they are full, each two become one. So a run of a million steps
// is drawn as fast as one of a thousand, and a line that is added changes the last row alone.
import type { MetricsLine } from "../../training/events/metrics-file.ts";
import { SERIES_COLUMNS, type SeriesColumn, type TableChange } from "../api.ts";

type Mean = Exclude<SeriesColumn, "step" | "lossLow" | "lossHigh" | "seconds">;

interface Row {
  lines: number;
  step: number;
  seconds: number;
  low: number;
  high: number;
  /** Sum and count of what lines said: not all say all. */
  readonly means: Partial<Record<Mean, { sum: number; count: number }>>;
}

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
    let row = this.#rows.at(-1);
    if (row === undefined || row.lines >= this.#width) {
      if (this.#rows.length >= this.#most) this.#halve();
      row = this.#rows.at(-1);
      if (row === undefined || row.lines >= this.#width) {
        row = { lines: 0, step: 0, seconds: 0, low: Infinity, high: -Infinity, means: {} };
        this.#rows.push(row);
      }
    }
    row.lines++;
    row.step = line.step;
    row.seconds = this.#seconds;
    row.low = Math.min(row.low, line.loss);
    row.high = Math.max(row.high, line.loss);
    for (const [name, value] of Object.entries(valuesOf(line)) as [Mean, number | undefined][]) {
      if (value === undefined) continue;
      const { sum, count } = row.means[name] ?? { sum: 0, count: 0 };
      row.means[name] = { sum: sum + value, count: count + 1 };
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
    const columns = SERIES_COLUMNS.flatMap((name) => {
      const values = rows.map((row) => cellOf(row, name));
      return values.every((value) => value === null) ? [] : [[name, values] as const];
    });
    return { width: this.#width, from, columns: Object.fromEntries(columns) };
  }

  #halve(): void {
    this.#width *= 2;
    const rows = this.#rows.splice(0);
    for (let i = 0; i < rows.length; i += 2) this.#rows.push(merged(rows[i]!, rows[i + 1]));
  }
}

function merged(a: Row, b: Row | undefined): Row {
  if (b === undefined) return a;
  const means: Row["means"] = { ...a.means };
  for (const [name, { sum, count }] of Object.entries(b.means) as [Mean, { sum: number; count: number }][]) {
    const before = means[name];
    means[name] = { sum: sum + (before?.sum ?? 0), count: count + (before?.count ?? 0) };
  }
  return {
    ...{ lines: a.lines + b.lines, step: b.step, seconds: b.seconds },
    ...{ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high), means },
  };
}

function valuesOf(line: MetricsLine): Partial<Record<Mean, number | undefined>> {
  const { prompt, completion, end } = line;
  const parts = {
    loss: line.loss,
    promptLoss: prompt?.loss,
    promptAccuracy: prompt?.accuracy,
    completionLoss: completion?.loss,
    completionAccuracy: completion?.accuracy,
    endLoss: end?.loss,
  };
  if (line.type !== "step") return parts;
  return {
    ...parts,
    penalty: line.penalty,
    gradientNorm: line.gradientNorm,
    learningRate: line.learningRate,
    tokensPerSecond: line.tokens / line.seconds,
    memory: line.memory,
  };
}

function cellOf(row: Row, name: SeriesColumn): number | null {
  if (name === "step" || name === "seconds") return row[name];
  if (name === "lossLow") return row.low;
  if (name === "lossHigh") return row.high;
  const mean = row.means[name];
  return mean === undefined ? null : mean.sum / mean.count;
}
