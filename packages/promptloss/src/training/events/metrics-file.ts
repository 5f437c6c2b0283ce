// metrics.jsonl: every step and evaluation of a run, a line each. A resumed run takes back what lies beyond its
// checkpoint, so that no step is there twice.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../../files/atomic.ts";
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
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as MetricsLine];
      } catch {
        return [];
      }
    });
}
