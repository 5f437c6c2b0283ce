// A task's scores from its items' records: means with their standard errors, and scores of the corpus.
import { bootstrapStandardError, mean, standardError } from "../metrics/spread.ts";
import { sumStatistics, textMetrics } from "../metrics/text-metrics.ts";
import type { EvaluationTask } from "../tasks/index.ts";
import type { EvaluationRecord } from "./types.ts";

export interface MetricValue {
  readonly value: number;
  readonly standardError: number | undefined;
  readonly higherIsBetter: boolean;
}

/** @param records of all items, one at least */
export function metricValue(
  task: EvaluationTask,
  metric: string,
  records: readonly EvaluationRecord[],
): MetricValue {
  const known = task.kind === "generation" ? textMetrics[metric] : undefined;
  if (known?.kind === "corpus") {
    const statistics = records.map((record) => record.statistics![metric]!);
    const of = (places: readonly number[]): number =>
      known.of(sumStatistics(places.map((place) => statistics[place]!)));
    return {
      value: of(statistics.map((_, i) => i)),
      standardError: bootstrapStandardError(records.length, of),
      higherIsBetter: known.higherIsBetter,
    };
  }
  const values = records.map((record) => record.metrics[metric]!);
  if (metric === "perplexity") {
    const of = (places: readonly number[]): number => Math.exp(-mean(places.map((place) => values[place]!)));
    return {
      value: of(values.map((_, i) => i)),
      standardError: bootstrapStandardError(values.length, of),
      higherIsBetter: false,
    };
  }
  return { value: mean(values), standardError: standardError(values), higherIsBetter: true };
}

/**
 * What guessing scores on a multiple-choice task, 0 to 1: each item's share of right choices, averaged. It is the same
 * for accuracies, which expect it of a choice at random, and for mc2, which gives it to equal probabilities.
 * @param records of all items, one at least
 */
export function chanceLevel(records: readonly EvaluationRecord[]): number {
  return mean(records.map(({ right, logLikelihoods }) => right!.length / logLikelihoods!.length));
}
