// A run's metrics.jsonl as it grows: read from where the last reading ended, a bounded part at a time, and anew when a
// resumed run has taken lines back.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parseMetrics } from "../../training/events/metrics-file.ts";
import type { SeriesChange } from "../api.ts";
import { SeriesTable } from "./series-table.ts";

/** Bytes that one look reads: what a request waits for, while others wait for it. */
const PART = 8 * 1024 * 1024;

export class RunSeries {
  readonly #path: string;
  readonly #points: number;
  #steps: SeriesTable;
  #evaluations: SeriesTable;
  #file = { inode: 0, offset: 0 };
  #rest: Buffer = Buffer.alloc(0);

  /** @param path of metrics.jsonl  @param points the most rows of a table, an even number */
  constructor(path: string, points: number) {
    this.#path = path;
    this.#points = points;
    this.#steps = new SeriesTable(points);
    this.#evaluations = new SeriesTable(points);
  }

  /** What is new since the last look; undefined where nothing is. */
  poll(): SeriesChange | undefined {
    this.#read();
    const [steps, evaluations] = [this.#steps.change(), this.#evaluations.change()];
    if (steps === undefined && evaluations === undefined) return undefined;
    return { steps: steps ?? null, evaluations: evaluations ?? null };
  }

  #read(): void {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch {
      return;
    }
    try {
      const { size, ino } = fstatSync(file);
      if (ino !== this.#file.inode || size < this.#file.offset) this.#begin(ino);
      const part = Buffer.alloc(Math.min(PART, size - this.#file.offset));
      const read = readSync(file, part, 0, part.length, this.#file.offset);
      this.#file.offset += read;
      this.#take(Buffer.concat([this.#rest, part.subarray(0, read)]));
    } finally {
      closeSync(file);
    }
  }

  #begin(inode: number): void {
    this.#file = { inode, offset: 0 };
    this.#rest = Buffer.alloc(0);
    this.#steps = new SeriesTable(this.#points);
    this.#evaluations = new SeriesTable(this.#points);
  }

  /** Whole lines; what comes behind the last line break waits for its end. */
  #take(bytes: Buffer): void {
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#rest = bytes.subarray(end);
    for (const line of parseMetrics(bytes.subarray(0, end).toString("utf8")))
      if (line.type === "step") this.#steps.add(line);
      else this.#evaluations.add(line);
  }
}
