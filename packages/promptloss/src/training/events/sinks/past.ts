// When the numbers came that metrics.jsonl has, which are written down without the time.
import type { EvaluationEvent, StepEvent } from "../event.ts";

/** Each with a time in ms since 1970: the run's begin and how long it computed. */
export function timed(
  past: readonly (StepEvent | EvaluationEvent)[],
  startedAt: number,
): { readonly event: StepEvent | EvaluationEvent; readonly at: number }[] {
  let at = startedAt;
  return past.map((event) => {
    at += event.seconds * 1000;
    return { event, at };
  });
}
