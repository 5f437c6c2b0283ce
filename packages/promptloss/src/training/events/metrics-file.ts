// metrics.jsonl: every step and evaluation of a run, a line each. A resumed run takes back what lies beyond its
// checkpoint, so that no step is there twice.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../../files/atomic.ts";
import { finiteJson } from "../../finite-json.ts";
import type { EvaluationEvent, StepEvent, TrainingEvent } from "./event.ts";

export type MetricsLine = StepEvent | EvaluationEvent;

export class MetricsFile {
  readonly path: string;

  /** Goes on after a step; 0 begins anew. */
  constructor(path: string, afterStep: number) {
    this.path = path;
    const kept = readMetrics(path).filter(({ step }) => step <= afterStep);
    replaceFile(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }

  add(event: TrainingEvent): void {
    if (event.type === "step" || event.type === "evaluation")
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
