// Attention of sequences laid end to end, each to itself: the packed operator where it serves, or that to a cache; else
// libtorch's own operator, called once where all are equally long and once a sequence otherwise, or plain operators
// where scores are capped. With a cache, to the keys and values of earlier calls too.
import {
  cachedAttention,
  cat,
  fusedKernels,
  isGradEnabled,
  packedAttention,
  scaledDotProductAttention,
  softmax,
  type Tensor,
} from "@promptloss/torch";
import type { Architecture } from "../config/architecture.ts";
import type { KeyValueCache } from "./cache.ts";
import type { Segment } from "./input.ts";
import { causalMask, lastTokenMask } from "./masks.ts";

/** What the layers of one forward share. */
export interface AttentionPlan {
  readonly segments: readonly Segment[];
  readonly cache: KeyValueCache | undefined;
  readonly dropout: number;
  /** Where the sequences start, and the number of tokens: for the fused operators. Undefined where they can't serve. */
  readonly starts: readonly number[] | undefined;
  /** The tokens held of each sequence: for the operator that reads a cache. Undefined where that can't serve. */
  readonly pasts: readonly number[] | undefined;
  /** By `maskKey`. */
  readonly masks: ReadonlyMap<string, Tensor>;
}

export function attentionPlan(
  architecture: Architecture,
  segments: readonly Segment[],
  cache: KeyValueCache | undefined,
  dropout: number,
  { device, dtype }: Tensor,
): AttentionPlan {
  const masks = new Map<string, Tensor>();
  if (device === "cpu" && dropout === 0 && FUSED_DTYPES.has(dtype) && servesFused(architecture)) {
    const starts = [...segments.map(({ start }) => start), tokensOf(segments)];
    const held = segments.map(({ past }) => past);
    const pasts = held.some((past) => past > 0) ? held : undefined;
    // The operator that reads a cache has no derivative.
    if (pasts === undefined || !isGradEnabled()) return { segments, cache, dropout, starts, pasts, masks };
  }
  const capped = architecture.attentionSoftcap !== undefined;
  const single = isSingleStep(segments, cache);
  for (const window of new Set(architecture.layers.map((layer) => layer.window))) {
    if (cache !== undefined && single) {
      const lengths = segments.map(({ past }) => past);
      const keys = Math.max(...lengths) + 1;
      const equal = lengths.every((length) => length === lengths[0]);
      if (equal && (window === undefined || window >= keys)) continue;
      const positions = cache.lengthsTensor().unsqueeze(1);
      masks.set(maskKey(0, 0, window), lastTokenMask(positions, keys, window));
      continue;
    }
    for (const { length, past } of segments) {
      const key = maskKey(length, past, window);
      const plain = past === 0 && !capped && (window === undefined || window >= length);
      if (!plain && !masks.has(key)) masks.set(key, causalMask(length, past + length, window, device));
    }
  }
  return { segments, cache, dropout, starts: undefined, pasts: undefined, masks };
}

const FUSED_DTYPES: ReadonlySet<string> = new Set(["float32", "bfloat16"]);

/** Whether the fused operators do what this architecture asks. */
function servesFused({ headSize, attentionSoftcap }: Architecture): boolean {
  return fusedKernels() && headSize % 16 === 0 && attentionSoftcap === undefined;
}

function tokensOf(segments: readonly Segment[]): number {
  const { start, length } = segments.at(-1)!;
  return start + length;
}

function maskKey(length: number, past: number, window: number | undefined): string {
  return `${length} ${past} ${window ?? "all"}`;
}

/** A step of generation: one token a sequence, all with a past. */
function isSingleStep(segments: readonly Segment[], cache: KeyValueCache | undefined): boolean {
  return cache !== undefined && segments.every(({ length, past }) => length === 1 && past > 0);
}

/**
 * @param query [tokens, heads, head size], turned
 * @param key [tokens, key-value heads, head size], turned
 * @param value as `key`
 * @returns [tokens, heads · head size]
 */
export function attend(
  architecture: Architecture,
  layer: number,
  plan: AttentionPlan,
  query: Tensor,
  key: Tensor,
  value: Tensor,
): Tensor {
  const { window, attentionScale: scale } = architecture.layers[layer]!;
  const { segments, cache, masks, dropout } = plan;
  const options = { scale, dropout, softcap: architecture.attentionSoftcap };
  const [tokens, heads, headSize] = query.shape as [number, number, number];
  const groups = heads / key.shape[1]!;
  if (cache !== undefined) cache.append(layer, segments, key, value);
  if (plan.starts !== undefined) {
    const { starts, pasts } = plan;
    const settings = { scale, window: window ?? 0 };
    const held = pasts && cache?.read(layer, Math.max(...segments.map(({ past, length }) => past + length)));
    const output =
      pasts && held
        ? cachedAttention(query, held.keys, held.values, starts, pasts, settings)
        : packedAttention(query, key, value, starts, settings);
    return output.reshape([tokens, heads * headSize]);
  }

  if (cache !== undefined && isSingleStep(segments, cache)) {
    // The queries that share a key's head stand where a sequence's positions would: nothing is repeated.
    const longest = Math.max(...segments.map(({ past }) => past)) + 1;
    const { keys, values } = cache.read(layer, longest);
    const grouped = query.view([tokens, heads / groups, groups, headSize]);
    const mask = masks.get(maskKey(0, 0, window));
    return core(grouped, keys, values, { ...options, mask }).reshape([tokens, heads * headSize]);
  }

  const [first] = segments as [Segment];
  const uniform = cache === undefined && segments.every(({ length }) => length === first.length);
  const batches = uniform ? [segments] : segments.map((segment) => [segment]);
  // One split's gradients are put together once; of a slice for each sequence, each would be as long as all.
  const lengths = segments.map(({ length }) => length);
  const apart = (x: Tensor): readonly Tensor[] => (batches.length === 1 ? [x] : x.split(lengths, 0));
  const [queries, keys, values] = [apart(query), apart(key), apart(value)];
  const outputs = batches.map((batch, row) => {
    const { length, past } = batch[0]!;
    const spread = (parts: readonly Tensor[]): Tensor => {
      const part = parts[row]!;
      return part.reshape([batch.length, length, part.shape[1]!, headSize]).transpose(1, 2);
    };
    const earlier = past === 0 ? undefined : cache?.readRow(layer, row, past + length);
    const mask = masks.get(maskKey(length, past, window));
    const output = core(
      spread(queries),
      repeatHeads(earlier?.keys ?? spread(keys), groups),
      repeatHeads(earlier?.values ?? spread(values), groups),
      { ...options, mask, causal: mask === undefined },
    );
    return output.transpose(1, 2).reshape([batch.length * length, heads * headSize]);
  });
  return outputs.length === 1 ? outputs[0]! : cat(outputs, 0);
}

/** [batch, key-value heads, keys, head size] → [batch, heads, keys, head size]. */
function repeatHeads(x: Tensor, groups: number): Tensor {
  if (groups === 1) return x;
  const [batch, heads, keys, headSize] = x.shape as [number, number, number, number];
  return x
    .unsqueeze(2)
    .expand([batch, heads, groups, keys, headSize])
    .reshape([batch, heads * groups, keys, headSize]);
}

interface CoreOptions {
  readonly scale: number;
  readonly dropout: number;
  readonly softcap: number | undefined;
  readonly mask?: Tensor | undefined;
  readonly causal?: boolean;
}

/** All of [batch, heads, queries or keys, head size]. */
function core(query: Tensor, key: Tensor, value: Tensor, options: CoreOptions): Tensor {
  const { scale, dropout, softcap, mask = null, causal = false } = options;
  if (softcap === undefined)
    return scaledDotProductAttention(query, key, value, { mask, causal, dropout, scale });
  let scores = query
    .matmul(key.transpose(-2, -1))
    .mul(scale / softcap)
    .tanh()
    .mul(softcap);
  if (mask !== null) scores = scores.maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY);
  const weights = softmax(scores, -1, { dtype: "float32" }).to({ dtype: value.dtype });
  return (dropout > 0 ? weights.dropout(dropout) : weights).matmul(value);
}
