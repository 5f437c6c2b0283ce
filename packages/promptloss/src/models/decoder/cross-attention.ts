// Attention of a decoder's tokens to what the encoder made of their sequence's prompt: to all of it, without a mask.
// Sequences that share a prompt, as beams do, read it at once.
import { cat, scaledDotProductAttention, type Tensor } from "@promptloss/torch";
import type { LayerStore } from "./cache.ts";
import type { Segment } from "./input.ts";

export interface CrossOptions {
  readonly scale: number;
  readonly dropout: number;
}

type Span = Pick<Segment, "start" | "length">;

/**
 * @param query [tokens, heads, head size]
 * @param segments where each sequence's queries lie, end to end
 * @param prompts of each sequence, each [tokens, heads, head size]
 * @returns [tokens, heads · head size]
 */
export function attendAcross(
  query: Tensor,
  segments: readonly Span[],
  prompts: readonly LayerStore[],
  options: CrossOptions,
): Tensor {
  const runs = runsOf(segments, prompts);
  const lengths = runs.map(({ queries }) => queries);
  const queries = runs.length === 1 ? [query] : query.split(lengths, 0);
  const outputs = runs.map(({ prompt: { keys, values } }, i) => core(queries[i]!, keys, values, 1, options));
  return outputs.length === 1 ? outputs[0]! : cat(outputs, 0);
}

/**
 * The same of prompts that lie end to end, each read by one sequence.
 * @param key [tokens of all prompts, heads, head size] @param value as `key` @param spans where each prompt lies
 */
export function attendAcrossPacked(
  query: Tensor,
  segments: readonly Span[],
  [key, value]: readonly [Tensor, Tensor],
  spans: readonly Span[],
  options: CrossOptions,
): Tensor {
  const alike = (parts: readonly Span[]): boolean => parts.every(({ length }) => length === parts[0]!.length);
  if (alike(segments) && alike(spans)) return core(query, key, value, segments.length, options);
  const [keys, values] = [key, value].map((packed) => apart(packed, spans)) as [Tensor[], Tensor[]];
  const prompts = keys.map((part, i) => ({ keys: part, values: values[i]! }));
  return attendAcross(query, segments, prompts, options);
}

/** One split's gradients are put together once; of a slice for each sequence, each would be as long as all. */
export function apart(packed: Tensor, spans: readonly Span[]): readonly Tensor[] {
  return packed.split(
    spans.map(({ length }) => length),
    0,
  );
}

/** Of as many sequences as `batch`, all with as many queries and as many keys. */
function core(query: Tensor, key: Tensor, value: Tensor, batch: number, options: CrossOptions): Tensor {
  const [tokens, heads, headSize] = query.shape as [number, number, number];
  const spread = (x: Tensor): Tensor => x.reshape([batch, -1, heads, headSize]).transpose(1, 2);
  return scaledDotProductAttention(spread(query), spread(key), spread(value), options)
    .transpose(1, 2)
    .reshape([tokens, heads * headSize]);
}

/** Neighbors that share their prompt, together. */
function runsOf(
  segments: readonly Span[],
  prompts: readonly LayerStore[],
): { queries: number; readonly prompt: LayerStore }[] {
  const runs: { queries: number; readonly prompt: LayerStore }[] = [];
  segments.forEach(({ length }, i) => {
    const prompt = prompts[i]!;
    const last = runs.at(-1);
    if (last !== undefined && last.prompt === prompt) last.queries += length;
    else runs.push({ queries: length, prompt });
  });
  return runs;
}
