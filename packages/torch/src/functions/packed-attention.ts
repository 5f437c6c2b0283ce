// Attention over sequences laid end to end, from the library of native/ops: a kernel of its own on the CPU, flash attention
// or memory-efficient attention of libtorch on CUDA.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<Tensor>("promptloss::packed_attention");
const withStatistics = operator<Tensor[]>("promptloss::packed_attention_statistics");
const recalled = operator<Tensor>("promptloss::packed_attention_recalled");
const way = operator<string>("promptloss::packed_attention_way");

export interface PackedAttentionOptions {
  /** What products of queries and keys are multiplied by; 1/√width when left out. */
  scale?: number;
  /** A token sees itself and window − 1 tokens before it; all before it when left out. */
  window?: number;
  /**
   * `starts` as int32, [sequences + 1], on the query's device. On an accelerator each call sends them there where this is
   * left out, and waits.
   */
  places?: Tensor | undefined;
}

/**
 * Causal attention of sequences laid end to end, each to itself: no mask, no padding, no scores kept. Softmax and sums
 * are float32. Differentiable once. Where {@link packedAttentionWay} names a way.
 *
 * @param query [tokens, heads, width], float32 or bfloat16, on CUDA float16 too; the width is a multiple of 16
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
  return native(query, key, value, starts, ...settingsOf(query, options));
}

/**
 * The same without a graph, and what its gradients need: to be computed anew from {@link packedAttentionRecalled} without
 * attending a second time.
 * @returns the output, [tokens, heads, width], and behind it tensors for `packedAttentionRecalled`
 */
export function packedAttentionStatistics(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  starts: readonly number[],
  options: PackedAttentionOptions = {},
): Tensor[] {
  return withStatistics(query, key, value, starts, ...settingsOf(query, options));
}

/**
 * The output that {@link packedAttentionStatistics} gave, as a function of query, key and value; differentiable once.
 * @param known what that gave, of these very inputs
 */
export function packedAttentionRecalled(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  known: readonly Tensor[],
  starts: readonly number[],
  options: PackedAttentionOptions = {},
): Tensor {
  return recalled(query, key, value, known, starts, ...settingsOf(query, options));
}

/**
 * What {@link packedAttention} is computed by: "kernel" on the CPU, "flash attention" or "memory-efficient attention" on
 * CUDA, undefined where nothing serves.
 * @param like a tensor of query's dtype and device
 * @param width units of a head
 */
export function packedAttentionWay(like: Tensor, width: number, window = 0): string | undefined {
  const name = way(like, width, window);
  return name === "" ? undefined : name;
}

function settingsOf(query: Tensor, options: PackedAttentionOptions): [number, number, Tensor | null] {
  const { scale = 1 / Math.sqrt(query.shape[2] ?? 1), window = 0, places = null } = options;
  return [scale, window, places];
}
