// Attention over sequences laid end to end, from the library of native/ops.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<Tensor>("promptloss::packed_attention");

export interface PackedAttentionOptions {
  /** What products of queries and keys are multiplied by; 1/√width when left out. */
  scale?: number;
  /** A token sees itself and window − 1 tokens before it; all before it when left out. */
  window?: number;
}

/**
 * Causal attention of sequences laid end to end, each to itself: no mask, no padding, no scores kept. Softmax and sums
 * are float32. On the CPU; differentiable once.
 *
 * @param query [tokens, heads, width], float32 or bfloat16; the width is a multiple of 16
 * @param key [tokens, key heads, width]: each is shared by heads / key heads neighboring heads of queries
 * @param value as `key`
 * @param starts where each sequence starts, and at last the number of tokens
 * @returns [tokens, heads, width]
 * @throws {OperatorError} for shapes, dtypes, devices or starts that don't fit
 */
export function packedAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  starts: readonly number[],
  options: PackedAttentionOptions = {},
): Tensor {
  const { scale = 1 / Math.sqrt(query.shape[2] ?? 1), window = 0 } = options;
  return native(query, key, value, starts, scale, window);
}
