// The numbers of a step or an evaluation under the names that TensorBoard and the other sinks show.
import { MEASURED } from "../../loss/part-sums.ts";
import type { EvaluationEvent, StepEvent } from "./event.ts";

/** By name, as "train/loss" and "held-out/content_accuracy". */
export function scalarsOf(event: StepEvent | EvaluationEvent): Record<string, number> {
  const group = event.type === "step" ? "train" : "held-out";
  const scalars: Record<string, number> = { [`${group}/loss`]: event.loss };
  for (const name of MEASURED) {
    const means = event[name];
    if (means === undefined) continue;
    scalars[`${group}/${name}_loss`] = means.loss;
    scalars[`${group}/${name}_accuracy`] = means.accuracy;
  }
  if (event.type === "step") {
    scalars["train/gradient_norm"] = event.gradientNorm;
    scalars["train/learning_rate"] = event.learningRate;
    scalars["speed/tokens_per_second"] = event.tokens / event.seconds;
    if (event.penalty !== undefined) scalars["train/penalty"] = event.penalty;
  }
  return scalars;
}
