// The task `held-out`: what a run itself measured on the rows that its recipe holds out, with the weights that it wrote.
// Reads metrics.jsonl and manifest.json; computes nothing anew.
import { join } from "node:path";
import { readJson } from "../../files/atomic.ts";
import { isHigherBetter, LOSS_METRICS, metricValue } from "../../loss/metrics.ts";
import type { EvaluationEvent } from "../../training/events/event.ts";
import { readMetrics } from "../../training/events/metrics-file.ts";
import { finishedEnd, type Manifest } from "../../training/manifest.ts";
import { StudyError } from "../errors.ts";
import type { Evaluator, TaskScore } from "./evaluator.ts";

export const heldOut: Evaluator = {
  readsModel: false,
  // Scores of before came without parts, and were at times of other weights than those that were written.
  version: "parts",
  metrics: LOSS_METRICS,
  refuse: (options, { evaluation }) => {
    const [unknown] = Object.keys(options);
    if (unknown !== undefined) return `held-out has no option ${unknown}`;
    return evaluation === undefined
      ? "held-out needs rows to measure: give the recipe an evaluation section"
      : undefined;
  },
  evaluate: async ({ run }) => {
    const written = finishedEnd(readJson<Pick<Manifest, "end">>(join(run, "manifest.json")))?.writtenStep;
    if (written === undefined)
      throw new StudyError(`${run}: manifest.json does not say which step's weights were written`, {
        hint: "train it again: --overwrite begins the run anew",
      });
    const event = readMetrics(join(run, "metrics.jsonl")).findLast(
      (line): line is EvaluationEvent => line.type === "evaluation" && line.step === written,
    );
    if (event === undefined)
      throw new StudyError(
        `${run}: metrics.jsonl has no evaluation of step ${written}, whose weights were written`,
        {
          hint: "train it again: --overwrite begins the run anew",
        },
      );
    return heldOutScores(event);
  },
};

/**
 * Losses in nats a token. The content's stands for the task: the loss as trained depends on PLW, and the completion's
 * sums content and stop token, which may move in opposite directions.
 */
export function heldOutScores(event: EvaluationEvent): TaskScore[] {
  return LOSS_METRICS.flatMap((metric) => {
    const value = metricValue(event, metric);
    if (value === undefined) return [];
    return { metric, value, higherIsBetter: isHigherBetter(metric), primary: metric === "content_loss" };
  });
}
