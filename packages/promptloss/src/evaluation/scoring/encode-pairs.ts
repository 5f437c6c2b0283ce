// Context and continuation as token ids, split as lm-evaluation-harness splits them: white space at the context's end
// goes to the continuation, both are encoded as one text, and what lies behind the context's own tokens is scored.
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import { stripEnd } from "../python-text.ts";
import type { ScoredPair } from "../requests/item.ts";

export interface EncodedPair {
  readonly context: Int32Array;
  readonly continuation: Int32Array;
}

/** In the order given. A text that begins with the text of BOS gets no second one. */
export async function encodePairs(
  tokenizer: Tokenizer,
  pairs: readonly ScoredPair[],
): Promise<EncodedPair[]> {
  const prefixId = prefixTokenId(tokenizer);
  const split = pairs.map(({ context, continuation }) => {
    const kept = stripEnd(context);
    return context === ""
      ? { context, continuation }
      : { context: kept, continuation: context.slice(kept.length) + continuation };
  });
  const contexts = [...new Set(split.map(({ context }) => context))];
  const contextIds = new Map(
    (await tokenizer.encodeIds(contexts)).map((ids, i) => [
      contexts[i]!,
      prefixed(tokenizer, contexts[i]!, ids),
    ]),
  );
  const wholes = await tokenizer.encodeIds(split.map(({ context, continuation }) => context + continuation));
  return split.map(({ context, continuation }, i) => {
    const ids = wholes[i]!;
    if (pairs[i]!.context === "") {
      if (prefixId === undefined || ids[0] === prefixId)
        return { context: ids.slice(0, 1), continuation: ids.slice(1) };
      return { context: Int32Array.of(prefixId), continuation: ids };
    }
    const whole = prefixed(tokenizer, context + continuation, ids);
    const before = contextIds.get(context)!;
    return { context: before, continuation: whole.slice(before.length) };
  });
}

/** The ids of a context alone, for generation. */
export async function encodeContexts(
  tokenizer: Tokenizer,
  contexts: readonly string[],
): Promise<Int32Array[]> {
  return (await tokenizer.encodeIds(contexts)).map((ids, i) => prefixed(tokenizer, contexts[i]!, ids));
}

/** What stands in an empty context's place: BOS, or EOS where there is none. */
function prefixTokenId(tokenizer: Tokenizer): number | undefined {
  const { eos } = tokenizer.special;
  return tokenizer.bosId ?? (eos === undefined ? undefined : tokenizer.idOf(eos));
}

function prefixed(tokenizer: Tokenizer, text: string, ids: Int32Array): Int32Array {
  const { prefixIds, special } = tokenizer;
  const bos = special.bos ?? special.eos;
  if (prefixIds.length === 0 || (bos !== undefined && bos !== "" && text.startsWith(bos))) return ids;
  const all = new Int32Array(prefixIds.length + ids.length);
  all.set(prefixIds);
  all.set(ids, prefixIds.length);
  return all;
}
