// Encodes a text as it would be tokenized after other text. Some tokenizers treat the start of a text apart
// (sentencepiece's dummy space); so a character is put before the text and its tokens are taken off again.
import type { EncodedText } from "./encoded-text.ts";

/**
 * Characters that seldom merge with what follows them; the first whose tokens end where the text begins is
 * used. BPE merges never reach over a boundary that stands at the end, so what follows it is the encoding of
 * the text alone.
 */
const GUARDS = ["\n", "\u0001", ":", "0", "x", "\u3042"];

/** A text encoded after a guard: the first tokens and characters are the guard's. */
export interface Continuation {
  readonly ids: Int32Array;
  /** The encoding of the guard and the text; token i of `ids` is its token `firstToken + i`. */
  readonly encoded: EncodedText;
  readonly firstToken: number;
  /** UTF-16 units that the guard takes. */
  readonly guardLength: number;
}

function withoutGuard(encoded: EncodedText, guard: string): Continuation | undefined {
  const { ids } = encoded;
  let firstToken = 0;
  while (firstToken < ids.length) {
    const [start, end] = encoded.rangeOf(firstToken);
    if (start >= guard.length) break;
    if (end > guard.length) return undefined;
    firstToken++;
  }
  return { ids: ids.slice(firstToken), encoded, firstToken, guardLength: guard.length };
}

/**
 * @param encode the plain encoding of a batch, without special tokens
 */
export async function encodeContinuations(
  texts: readonly string[],
  encode: (texts: readonly string[]) => Promise<EncodedText[]>,
): Promise<Continuation[]> {
  const results = new Array<Continuation | undefined>(texts.length);
  let open = texts.map((_, index) => index);
  for (const guard of GUARDS) {
    if (open.length === 0) break;
    const encoded = await encode(open.map((index) => guard + texts[index]!));
    open.forEach((index, i) => {
      results[index] = withoutGuard(encoded[i]!, guard);
    });
    open = open.filter((index) => results[index] === undefined);
  }
  // Every guard merged with the text: its plain encoding is what is left.
  const plain = await encode(open.map((index) => texts[index]!));
  open.forEach((index, i) => {
    results[index] = { ids: plain[i]!.ids, encoded: plain[i]!, firstToken: 0, guardLength: 0 };
  });
  return results as Continuation[];
}
