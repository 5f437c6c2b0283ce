// Attention of sequences laid end to end, each to itself: the packed operator where it serves, or that to a cache; else
// libtorch's own operator, called once where all are equally long and once a sequence otherwise, or plain operators
// where scores are capped. With a cache, to the keys and values of earlier calls too.
import {
  cachedAttention,
  cat,
  isGradEnabled,
  type PackedAttentionOptions,
  packedAttention,
  packedAttentionRecalled,
  packedAttentionStatistics,
  packedAttentionWay,
  scaledDotProductAttention,
  softmax,
  type Tensor,
  upload,
} from "@promptloss/torch";
import type { Architecture } from "../config/architecture.ts";
import type { LayerPrefix } from "../lora/adapter.ts";
import type { KeyValueCache } from "./cache.ts";
import type { Recall } from "./checkpoint.ts";
import type { Segment } from "./input.ts";
import { causalMask, lastTokenMask } from "./masks.ts";
import type { RelativeBias } from "./relative-positions.ts";

/** How a forward's layers attend: chosen once, for all of them. */
export type AttentionPlan = Shared & Strategy;

interface Shared {
  readonly segments: readonly Segment[];
  readonly cache: KeyValueCache | undefined;
  readonly dropout: number;
  /** What stands before every sequence that no cache holds. */
  readonly prefix: ((layer: number) => LayerPrefix) | undefined;
  /** Where a layer is computed twice and attends once. */
  readonly recall: Recall | undefined;
}

export interface AttentionOptions {
  readonly dropout: number;
  /** Of the weights' dtype, on their device. */
  readonly like: Tensor;
  /** Keys and values that stand before every sequence, by layer; a cache has them already. */
  readonly prefix: ((layer: number) => LayerPrefix) | undefined;
  /** What distances add to the scores. */
  readonly bias?: RelativeBias | undefined;
  /** Attend through the cache where it holds nothing yet, too. */
  readonly throughCache?: boolean;
  readonly recall?: Recall | undefined;
}

type Strategy =
  /** The fused operator: `starts` are where the sequences start, and the number of tokens; `places` the same on a device. */
  | { readonly kind: "packed"; readonly starts: readonly number[]; readonly places: Tensor | undefined }
  /** The fused operator that reads a cache, which holds `pasts` of each sequence. */
  | { readonly kind: "cached"; readonly starts: readonly number[]; readonly pasts: readonly number[] }
  /** libtorch's operator, once for all: one token a sequence, each with a past. Masks by `maskKey(0, 0, window)`. */
  | { readonly kind: "step"; readonly masks: ReadonlyMap<string, Tensor> }
  /** libtorch's operator: once where all sequences are equally long and begin here, else once for each. */
  | { readonly kind: "sequences"; readonly atOnce: boolean; readonly masks: ReadonlyMap<string, Tensor> };

export function attentionPlan(
  architecture: Architecture,
  segments: readonly Segment[],
  cache: KeyValueCache | undefined,
  { dropout, like, prefix, bias, recall, throughCache = false }: AttentionOptions,
): AttentionPlan {
  const shared = { segments, cache, dropout, prefix, recall };
  const pasts = segments.map(({ past }) => past);
  const { device } = like;
  if (dropout === 0 && servesFused(architecture, like)) {
    const starts = [...segments.map(({ start }) => start), tokensOf(segments)];
    // The operator that reads a cache has no derivative, and a kernel on the CPU alone.
    const reads = cache !== undefined && !isGradEnabled() && device === "cpu";
    if (pasts.every((past) => past === 0) && !(reads && throughCache)) {
      const places = device === "cpu" ? undefined : upload([Int32Array.from(starts)], device)[0];
      return { ...shared, kind: "packed", starts, places };
    }
    if (reads) return { ...shared, kind: "cached", starts, pasts };
  }
  const windows = new Set(architecture.layers.map(({ window }) => window));
  if (cache !== undefined && segments.every(({ length, past }) => length === 1 && past > 0))
    return { ...shared, kind: "step", masks: stepMasks(windows, pasts, cache, bias) };
  const [first] = segments as [Segment];
  const atOnce = cache === undefined && segments.every(({ length }) => length === first.length);
  return {
    ...shared,
    kind: "sequences",
    atOnce,
    masks: sequenceMasks(windows, segments, architecture, device, bias),
  };
}

/** Whether the fused operators do what this architecture asks, for tensors like this one. */
function servesFused(architecture: Architecture, like: Tensor): boolean {
  const { headSize, attentionSoftcap, layers, relativePositions, bidirectional = false } = architecture;
  if (attentionSoftcap !== undefined || relativePositions !== undefined || bidirectional) return false;
  const windows = new Set(layers.map(({ window = 0 }) => window));
  return [...windows].every((window) => packedAttentionWay(like, headSize, window) !== undefined);
}

function tokensOf(segments: readonly Segment[]): number {
  const { start, length } = segments.at(-1)!;
  return start + length;
}

type Windows = ReadonlySet<number | undefined>;

/** None for a window where every sequence sees all that it holds. */
function stepMasks(
  windows: Windows,
  pasts: readonly number[],
  cache: KeyValueCache,
  bias: RelativeBias | undefined,
): Map<string, Tensor> {
  const masks = new Map<string, Tensor>();
  const keys = Math.max(...pasts) + 1;
  const equal = pasts.every((past) => past === pasts[0]);
  for (const window of windows) {
    const plain = equal && (window === undefined || window >= keys);
    if (plain && bias === undefined) continue;
    const seen = plain ? undefined : lastTokenMask(cache.lengthsTensor().unsqueeze(1), keys, window);
    masks.set(maskKey(0, 0, window), biased(seen, bias?.ofStep(pasts, keys))!);
  }
  return masks;
}

/** What is added to scores: distances' numbers, and −∞ where nothing is seen. One of the two alone where that is all. */
function biased(seen: Tensor | undefined, bias: Tensor | undefined): Tensor | undefined {
  if (bias === undefined || seen === undefined) return bias ?? seen;
  return bias.maskedFill(seen.logicalNot(), Number.NEGATIVE_INFINITY);
}

/** None where the operator's own causal mask says the same, or all is seen. */
function sequenceMasks(
  windows: Windows,
  segments: readonly Segment[],
  { attentionSoftcap, bidirectional = false }: Architecture,
  device: string,
  bias: RelativeBias | undefined,
): Map<string, Tensor> {
  const masks = new Map<string, Tensor>();
  const longest = Math.max(...segments.map(({ length, past }) => past + length));
  for (const window of windows)
    for (const { length, past } of segments) {
      const key = maskKey(length, past, window);
      const plain =
        past === 0 && attentionSoftcap === undefined && (window === undefined || window >= length);
      if (masks.has(key) || ((plain || bidirectional) && bias === undefined)) continue;
      const seen = bidirectional ? undefined : causalMask(length, past + length, window, device);
      masks.set(key, biased(seen, bias?.ofSequence(past, length, longest))!);
    }
  return masks;
}

function maskKey(length: number, past: number, window: number | undefined): string {
  return `${length} ${past} ${window ?? "all"}`;
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
  const { segments, cache, dropout } = plan;
  const { bidirectional = false, attentionSoftcap: softcap } = architecture;
  const options = { scale, dropout, softcap, bidirectional };
  const [tokens, heads, headSize] = query.shape as [number, number, number];
  const groups = heads / key.shape[1]!;
  cache?.append(layer, segments, key, value);
  const longest = (): number => Math.max(...segments.map(({ past, length }) => past + length));
  switch (plan.kind) {
    case "packed":
      return attendPacked(plan, query, key, value, {
        scale,
        window: window ?? 0,
        places: plan.places,
      }).reshape([tokens, heads * headSize]);
    case "cached": {
      const held = cache!.read(layer, longest());
      const settings = { scale, window: window ?? 0 };
      const output = cachedAttention(query, held.keys, held.values, plan.starts, plan.pasts, settings);
      return output.reshape([tokens, heads * headSize]);
    }
    case "step": {
      // The queries that share a key's head stand where a sequence's positions would: nothing is repeated.
      const { keys, values } = cache!.read(layer, longest());
      const grouped = query.view([tokens, heads / groups, groups, headSize]);
      const mask = plan.masks.get(maskKey(0, 0, window));
      return core(grouped, keys, values, { ...options, mask }).reshape([tokens, heads * headSize]);
    }
    case "sequences":
      return attendBySequence({ ...options, layer, window, plan }, query, key, value);
  }
}

function attendPacked(
  { starts, recall }: Extract<AttentionPlan, { kind: "packed" }>,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  settings: PackedAttentionOptions,
): Tensor {
  if (recall === undefined) return packedAttention(query, key, value, starts, settings);
  const known = recall.remember(() => packedAttentionStatistics(query, key, value, starts, settings));
  return packedAttentionRecalled(query, key, value, known, starts, settings);
}

interface BySequence extends CoreOptions {
  readonly bidirectional: boolean;
  readonly layer: number;
  readonly window: number | undefined;
  readonly plan: Extract<AttentionPlan, { kind: "sequences" }>;
}

function attendBySequence(
  { layer, window, plan, bidirectional, ...options }: BySequence,
  query: Tensor,
  key: Tensor,
  value: Tensor,
): Tensor {
  const { segments, cache, masks, atOnce } = plan;
  const [, heads, headSize] = query.shape as [number, number, number];
  const groups = heads / key.shape[1]!;
  const batches = atOnce ? [segments] : segments.map((segment) => [segment]);
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
    const ahead = cache === undefined ? plan.prefix?.(layer) : undefined;
    const whole = (own: readonly Tensor[], before: Tensor | undefined): Tensor =>
      before === undefined ? spread(own) : cat([spreadPrefix(before, batch.length, key), spread(own)], 2);
    const mask = masks.get(maskKey(length, past, window));
    const output = core(
      spread(queries),
      repeatHeads(earlier?.keys ?? whole(keys, ahead?.keys), groups),
      repeatHeads(earlier?.values ?? whole(values, ahead?.values), groups),
      { ...options, mask, causal: mask === undefined && !bidirectional },
    );
    return output.transpose(1, 2).reshape([batch.length * length, heads * headSize]);
  });
  return outputs.length === 1 ? outputs[0]! : cat(outputs, 0);
}

/** [tokens, key-value heads, head size] → [batch, key-value heads, tokens, head size]. */
function spreadPrefix(prefix: Tensor, batch: number, { dtype }: Tensor): Tensor {
  const [tokens, heads, headSize] = prefix.shape as [number, number, number];
  return prefix.to({ dtype }).transpose(0, 1).unsqueeze(0).expand([batch, heads, tokens, headSize]);
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
  if (softcap === undefined) {
    const added = mask === null || mask.dtype === "bool" ? mask : mask.to({ dtype: query.dtype });
    return scaledDotProductAttention(query, key, value, { mask: added, causal, dropout, scale });
  }
  let scores = query
    .matmul(key.transpose(-2, -1))
    .mul(scale / softcap)
    .tanh()
    .mul(softcap);
  if (mask !== null) scores = scores.maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY);
  const weights = softmax(scores, -1, { dtype: "float32" }).to({ dtype: value.dtype });
  return (dropout > 0 ? weights.dropout(dropout) : weights).matmul(value);
}
