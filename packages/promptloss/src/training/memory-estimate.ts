// How much memory a run will want, in bytes: an estimate from shapes, for a plan. Not a measurement.
import { itemSize } from "@promptloss/torch";
import type { TrainingRun } from "./run.ts";

export interface MemoryEstimate {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
  readonly total: number;
}

/** Tensors [tokens, hidden size] of a layer that the backward pass needs: norms, projections, attention, residuals. */
const WIDE_ACTIVATIONS = 14;
/** Those [tokens, intermediate size]. */
const MLP_ACTIVATIONS = 4;
const FLOAT32 = 4;

export function memoryEstimate({ model, settings, rows }: TrainingRun): MemoryEstimate {
  const bytesOf = (tensors: Iterable<{ numel: number; dtype: Parameters<typeof itemSize>[0] }>): number =>
    [...tensors].reduce((sum, { numel, dtype }) => sum + numel * itemSize(dtype), 0);
  const trainable = bytesOf(model.trainable.values());
  const copies =
    (settings.minkowski ? trainable : 0) +
    (settings.kl && !model.adapter ? bytesOf(model.parameters.values()) : 0);
  const weights =
    bytesOf(model.parameters.values()) + bytesOf(model.adapter?.parameters.values() ?? []) + copies;
  const longest = rows.lengths.reduce((most, length) => Math.max(most, length), 0);
  const tokens =
    "tokens" in settings.microBatch ? settings.microBatch.tokens : settings.microBatch.rows * longest;
  const { hiddenSize, intermediateSize, layers } = model.architecture;
  const element = settings.compute === undefined ? FLOAT32 : 2;
  const perToken = (WIDE_ACTIVATIONS * hiddenSize + MLP_ACTIVATIONS * intermediateSize) * element;
  const kept = settings.gradientCheckpointing
    ? perToken + layers.length * hiddenSize * element
    : layers.length * perToken;
  const activations = tokens * kept;
  const optimizer = 2 * trainable;
  return {
    weights,
    gradients: trainable,
    optimizer,
    activations,
    total: weights + trainable + optimizer + activations,
  };
}
