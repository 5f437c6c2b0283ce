// The files that a run's events go into as they come: metrics.jsonl and TensorBoard's. Both are rolled back to the step
// that a run goes on from.
import type { TrainingEvent } from "./event.ts";
import { MetricsFile } from "./metrics-file.ts";
import { TensorBoardFile } from "./tensorboard.ts";

export class RunFiles {
  readonly #paths: { readonly metrics: string; readonly tensorboard: string };
  #metrics: MetricsFile | undefined;
  #tensorboard: TensorBoardFile | undefined;
  #lastStep = 0;

  constructor(paths: { readonly metrics: string; readonly tensorboard: string }) {
    this.#paths = paths;
  }

  /** The step that was done last. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /** Goes on after a step; 0 begins anew. */
  open(afterStep: number): void {
    this.#metrics = new MetricsFile(this.#paths.metrics, afterStep);
    this.#tensorboard = new TensorBoardFile(this.#paths.tensorboard, afterStep);
    this.#lastStep = afterStep;
  }

  add(event: TrainingEvent): void {
    if (event.type === "step") this.#lastStep = event.step;
    this.#metrics?.add(event);
    this.#tensorboard?.add(event);
  }

  [Symbol.dispose](): void {
    this.#tensorboard?.close();
  }
}
