// Where a run's events go as they come: metrics.jsonl, without which there is no run, and then its sinks, without which
// there is. A run that goes on from a step goes on in all of them.
import type { EventListener, StartEvent, TrainingEvent } from "./event.ts";
import { MetricsFile } from "./metrics-file.ts";
import type { SinkEnd, SinkRun } from "./sinks/sink.ts";
import { type SinkPlaces, Sinks } from "./sinks/sinks.ts";

export class RunEvents {
  readonly #path: string;
  readonly #sinks: Sinks;
  #metrics: MetricsFile | undefined;
  #lastStep = 0;

  /**
   * @param tell called for what is to be said of a sink
   * @throws {TrainingError} where the recipe's sinks lack something that they need
   */
  constructor(
    recipe: SinkRun["recipe"],
    places: SinkPlaces & { readonly metrics: string },
    tell: EventListener,
  ) {
    this.#path = places.metrics;
    this.#sinks = new Sinks(recipe, places, tell);
  }

  /** The step that was done last. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /** @param startedAt when the run began first, in ms since 1970 */
  open(recipe: SinkRun["recipe"], start: StartEvent, startedAt: number): void {
    this.#metrics = new MetricsFile(this.#path, start.firstStep);
    this.#lastStep = start.firstStep;
    this.#sinks.open({ recipe, start, startedAt, past: this.#metrics.kept });
  }

  add(event: TrainingEvent): void {
    if (event.type !== "step" && event.type !== "evaluation") return;
    if (event.type === "step") this.#lastStep = event.step;
    this.#metrics?.add(event);
    this.#sinks.add(event);
  }

  /** Gives sinks their last chance, for seconds at most. @param end undefined where another process goes on with the run */
  close(end: SinkEnd | undefined, signal: AbortSignal | undefined): Promise<void> {
    return this.#sinks.close(end, signal);
  }
}
