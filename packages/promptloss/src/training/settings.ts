// The recipe's training, loss and other sections → settled numbers.
import { normalizationOf, reweightingOf } from "../loss/index.ts";
import { type Recipe, reweightingSettings } from "../recipe/index.ts";
import { type BatchPlan, DEFAULT_MICRO_BATCH_TOKENS } from "./batches.ts";
import { computeDtype } from "./precision.ts";
import type { RunSettings } from "./run.ts";
import { scheduleOf } from "./schedule.ts";

export function runSettings(
  recipe: Recipe,
  { steps }: BatchPlan,
  promptLossWeight: number,
  device: string,
): RunSettings {
  const { training, loss, evaluation, checkpoints, seed } = recipe;
  const { minkowski, microBatchSize } = training;
  const reweighting = reweightingSettings(loss);
  return {
    normalization: normalizationOf(loss, promptLossWeight),
    reduceOver: loss.reduceOver,
    microBatch:
      microBatchSize === undefined
        ? { tokens: training.microBatchTokens ?? DEFAULT_MICRO_BATCH_TOKENS }
        : { rows: microBatchSize },
    labelSmoothing: loss.labelSmoothing,
    reweighting: reweighting && reweightingOf(reweighting),
    optimizer: {
      betas: training.betas,
      epsilon: training.epsilon,
      weightDecay: training.weightDecay,
    },
    schedule: scheduleOf(recipe, steps),
    maxGradNorm: training.maxGradNorm ?? undefined,
    compute: computeDtype(training.precision, device),
    gradientCheckpointing: training.gradientCheckpointing,
    dropout: training.dropout,
    neftuneAlpha: training.neftuneAlpha,
    minkowski: minkowski && {
      order: minkowski.order === "infinity" ? Number.POSITIVE_INFINITY : minkowski.order,
      coefficient: minkowski.coefficient,
    },
    kl: training.kl,
    logEvery: training.logEvery,
    evaluation: evaluation && {
      every: evaluation.every,
      metric: evaluation.metric,
      patience: evaluation.patience,
      keepBest: evaluation.keepBest,
    },
    checkpoints,
    seed,
  };
}
