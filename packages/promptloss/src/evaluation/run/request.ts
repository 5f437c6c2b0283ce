// What a model is given for an item: prompts and continuations, as text and as the ids that it reads. Records keep it, and
// it is shown before anything is scored.
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import type { Item, ScoredPair } from "../requests/item.ts";
import { type EncodedPair, encodeContexts, encodePairs } from "../scoring/encode-pairs.ts";
import type { ItemRequest } from "./types.ts";

/** How long texts are cut. */
export interface RequestLengths {
  /** Tokens of context and continuation. */
  readonly maxLength: number;
  /** New tokens of a completion; of tasks that generate. */
  readonly room: number | undefined;
}

/** The tokens of a context that are read: the last that there is room for, the continuation's last not counted. */
export function readContext({ context, continuation }: EncodedPair, maxLength: number): Int32Array {
  return context.subarray(Math.max(0, context.length + continuation.length - maxLength - 1));
}

export function scoredRequest(
  pairs: readonly ScoredPair[],
  encoded: readonly EncodedPair[],
  maxLength: number,
): ItemRequest {
  return {
    prompts: shared(pairs.map(({ context }) => context)),
    promptIds: shared(encoded.map((pair) => [...readContext(pair, maxLength)])),
    continuations: pairs.map(({ continuation }) => continuation),
    continuationIds: encoded.map(({ continuation }) => [...continuation]),
  };
}

export function promptRequest(context: string, ids: Int32Array): ItemRequest {
  return { prompts: [context], promptIds: [[...ids]] };
}

/** One where all are the same. */
function shared<T extends string | readonly number[]>(all: readonly T[]): readonly T[] {
  const first = String(all[0]);
  return all.every((each) => String(each) === first) ? all.slice(0, 1) : all;
}

/** An item's request, and whether its context is cut. */
export async function requestOf(
  item: Item,
  tokenizer: Tokenizer,
  { maxLength, room = 0 }: RequestLengths,
): Promise<{ request: ItemRequest; truncated: boolean }> {
  if (item.kind === "generation") {
    const [ids] = await encodeContexts(tokenizer, [item.context]);
    const kept = ids!.subarray(Math.max(0, ids!.length - (maxLength - room)));
    return { request: promptRequest(item.context, kept), truncated: kept.length < ids!.length };
  }
  const encoded = await encodePairs(tokenizer, item.pairs);
  const truncated = encoded.some((pair) => readContext(pair, maxLength).length < pair.context.length);
  return { request: scoredRequest(item.pairs, encoded, maxLength), truncated };
}
