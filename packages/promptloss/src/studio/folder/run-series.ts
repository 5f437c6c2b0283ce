// A run's metrics.jsonl as it grows: read from where the last reading ended, a bounded part at a time, and anew when a
// resumed run has taken lines back.
import { readPart } from "../../files/part.ts";
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
    const part = readPart(this.#path, ({ size, inode }) => {
      if (inode !== this.#file.inode || size < this.#file.offset) this.#begin(inode);
      const { offset } = this.#file;
      return { from: offset, length: Math.min(PART, size - offset) };
    });
    if (part === undefined) return;
    this.#file.offset += part.length;
    this.#take(Buffer.concat([this.#rest, part]));
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
