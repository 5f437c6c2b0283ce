// What an evaluation may be judged by: the names under which its numbers are picked, in recipes and in studies. Pure.
import { MEASURED, type Measured, type PartMeans } from "./part-sums.ts";

export type LossMetric = `${Measured}_${"loss" | "accuracy"}` | "weighted_loss";

/** Unweighted mean losses and accuracies by part, and the loss as it is trained, whose meaning changes with the weight. */
export const LOSS_METRICS: readonly LossMetric[] = [
  ...MEASURED.flatMap((name) => [`${name}_loss`, `${name}_accuracy`] as const),
  "weighted_loss",
];

export type MeasuredLosses = { readonly loss: number } & Readonly<Partial<Record<Measured, PartMeans>>>;

export function isHigherBetter(metric: LossMetric): boolean {
  return metric.endsWith("_accuracy");
}

/** Undefined where the rows have no tokens of that part. */
export function metricValue(measured: MeasuredLosses, metric: LossMetric): number | undefined {
  if (metric === "weighted_loss") return measured.loss;
  const [name, quantity] = metric.split("_") as [Measured, "loss" | "accuracy"];
  return measured[name]?.[quantity];
}
