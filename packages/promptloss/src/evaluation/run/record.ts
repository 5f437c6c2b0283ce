// An item's record: what the model gave, and its metrics.
import { choiceMetric } from "../metrics/choice.ts";
import { contrastMetrics } from "../metrics/contrast.ts";
import { textMetrics } from "../metrics/text-metrics.ts";
import type { ChoiceItem, GenerationItem, LikelihoodItem } from "../requests/item.ts";
import type { LogLikelihood } from "../scoring/log-likelihoods.ts";
import type { EvaluationTask, GenerationTask } from "../tasks/index.ts";
import type { EvaluationRecord, ItemRequest } from "./types.ts";

/** What a model was given, and whether its beginning was cut off. */
interface Given {
  readonly request: ItemRequest;
  readonly truncated: boolean;
}

export function recordOfScores(
  task: EvaluationTask,
  index: number,
  item: ChoiceItem | LikelihoodItem,
  { request, truncated, scores }: Given & { readonly scores: readonly LogLikelihood[] },
): EvaluationRecord {
  const sums = scores.map(({ sum }) => sum);
  const metrics: Record<string, number> = {};
  if (task.kind === "multiple-choice" && item.kind === "multiple-choice")
    for (const metric of task.metrics) metrics[metric] = choiceMetric(metric, sums, item);
  if (task.kind === "likelihood")
    for (const metric of task.metrics)
      metrics[metric] = metric === "acc" ? Number(scores[0]!.greedy) : sums[0]!;
  return {
    item: index,
    metrics,
    ...(truncated && { truncated }),
    logLikelihoods: sums,
    ...(item.kind === "multiple-choice" && {
      right: item.right.flatMap((right, i) => (right ? [i] : [])),
    }),
    greedy: scores.map(({ greedy }) => greedy),
    ...request,
  };
}

export function recordOfCompletion(
  task: GenerationTask,
  index: number,
  item: GenerationItem,
  {
    request,
    truncated,
    completion,
    completionIds,
  }: Given & { completion: string; completionIds: Int32Array },
): EvaluationRecord {
  const { references, right, wrong } = item;
  const metrics: Record<string, number> = {};
  const statistics: Record<string, readonly number[]> = {};
  const contrasts = right.length > 0 ? contrastMetrics(completion, right, wrong) : {};
  for (const name of task.metrics) {
    const metric = textMetrics[name];
    if (metric === undefined) metrics[name] = contrasts[name]!;
    else if (metric.kind === "corpus") {
      statistics[name] = metric.statistics(completion, references);
      metrics[name] = metric.of(statistics[name]);
    } else metrics[name] = Math.max(...references.map((reference) => metric.of(completion, reference)));
  }
  return {
    item: index,
    metrics,
    ...(Object.keys(statistics).length > 0 && { statistics }),
    ...(truncated && { truncated }),
    completion,
    ...(references.length > 0 && { references }),
    ...request,
    completionIds: [...completionIds],
  };
}
