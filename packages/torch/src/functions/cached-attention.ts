// Attention to a cache of keys and values, from the library of native/ops.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";
import type { PackedAttentionOptions } from "./packed-attention.ts";

const native = operator<Tensor>("promptloss::cached_attention");

/**
 * Causal attention of tokens laid end to end to what a cache holds of their sequences, themselves included. Softmax and
 * sums are float32. On the CPU; has no derivative.
 *
 * @param query [tokens, heads, width], float32 or bfloat16; the width is a multiple of 16
 * @param keys [sequences, key heads, capacity, width], of query's dtype: each head is shared by heads / key heads
 *   neighboring heads of queries; what lies behind a sequence's tokens is not read
 * @param values as `keys`
 * @param starts where each sequence's tokens start in `query`, and at last their number
 * @param pasts the tokens that each sequence held before these
 * @returns [tokens, heads, width]
 * @throws {OperatorError} for shapes, dtypes, devices, starts or pasts that don't fit, and where a gradient is asked
 */
export function cachedAttention(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  starts: readonly number[],
  pasts: readonly number[],
  options: Omit<PackedAttentionOptions, "places"> = {},
): Tensor {
  const { scale = 1 / Math.sqrt(query.shape[2] ?? 1), window = 0 } = options;
  return native(query, keys, values, starts, pasts, scale, window);
}
