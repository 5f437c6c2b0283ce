// Where a run's numbers go beside its own folder's records. A sink is never worth a run: what it throws, and what it can't
// send, is told once, and training goes on.
import type { Recipe } from "../../../recipe/index.ts";
import type { EndReason, EvaluationEvent, StartEvent, StepEvent } from "../event.ts";

/** What is to be told of a sink. */
export interface SinkWarning {
  readonly message: string;
  readonly hint?: string;
}

/** A run, as a sink is told of it. */
export interface SinkRun {
  /** With every default and every `auto` settled. */
  readonly recipe: Recipe;
  readonly start: StartEvent;
  /** When the run began first, in ms since 1970. */
  readonly startedAt: number;
  /** Steps and evaluations that earlier processes did and that count: those up to the step that the run goes on from. */
  readonly past: readonly (StepEvent | EvaluationEvent)[];
}

export interface SinkEnd {
  readonly reason: EndReason;
  /** When, in ms since 1970. */
  readonly at: number;
}

export interface Sink {
  /** As `logging.reportTo` has it. */
  readonly name: string;
  /** Called once, before the first number. */
  open(run: SinkRun): void;
  /** Takes a number and returns at once, whatever becomes of it. */
  add(event: StepEvent | EvaluationEvent): void;
  /**
   * Sends what is left, and returns within bounds.
   * @param end how the run ended; undefined where that is not this process's to say
   * @param signal aborted where a person or a queue waits for the process to end
   */
  close(end: SinkEnd | undefined, signal: AbortSignal | undefined): Promise<void>;
}
