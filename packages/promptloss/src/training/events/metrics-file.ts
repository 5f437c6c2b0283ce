// metrics.jsonl: every step and evaluation of a run, a line each. A resumed run takes back what lies beyond its
// checkpoint, so that no step is there twice.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../../files/atomic.ts";
import { readPart } from "../../files/part.ts";
import { finiteJson } from "../../finite-json.ts";
import type { EvaluationEvent, StepEvent } from "./event.ts";

export type MetricsLine = StepEvent | EvaluationEvent;

export class MetricsFile {
  readonly path: string;
  /** The lines before those that this process adds. */
  readonly kept: readonly MetricsLine[];

  /** Goes on after a step; 0 begins anew. */
  constructor(path: string, afterStep: number) {
    this.path = path;
    this.kept = readMetrics(path).filter(({ step }) => step <= afterStep);
    replaceFile(path, this.kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }

  add(event: MetricsLine): void {
    appendFileSync(this.path, `${finiteJson(event, event.type)}\n`);
  }
}

/** The lines of a run so far; a last line that was cut off is left out. */
export function readMetrics(path: string): MetricsLine[] {
  return existsSync(path) ? parseMetrics(readFileSync(path, "utf8")) : [];
}

/** Lines of a metrics file; what is no step and no evaluation is left out. */
export function parseMetrics(text: string): MetricsLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      const found: unknown = JSON.parse(line);
      return isMetricsLine(found) ? [found] : [];
    } catch {
      return [];
    }
  });
}

function isMetricsLine(found: unknown): found is MetricsLine {
  const { type, step, loss } = (found ?? {}) as Partial<MetricsLine>;
  return (type === "step" || type === "evaluation") && typeof step === "number" && typeof loss === "number";
}

/** Bytes at a file's end that hold a few lines of metrics. */
const TAIL = 4096;

/** The last whole lines of a run so far, however long its file is; none where there is none yet. */
export function lastMetrics(path: string): MetricsLine[] {
  const tail = readPart(path, ({ size }) => {
    const length = Math.min(TAIL, size);
    return { from: size - length, length };
  });
  if (tail === undefined) return [];
  return parseMetrics(tail.toString("utf8").split("\n").slice(0, -1).join("\n"));
}
