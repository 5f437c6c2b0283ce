// Encodes a text as it would be tokenised after other text. Some tokenizers treat the start of a text apart
// (sentencepiece's dummy space); so a character is put before the text and its tokens are taken off again.
import type { EncodedText } from "./tokenizer.ts";

/**
 * Characters that seldom merge with what follows them; the first whose tokens end where the text begins is
 * used. BPE merges never reach over a boundary that stands at the end, so what follows it is the encoding of
 * the text alone.
 */
const GUARDS = ["\n", "\u0001", ":", "0", "x", "\u3042"];

const withoutGuard = ({ ids, offsets }: EncodedText, guard: string): EncodedText | undefined => {
  let first = 0;
  while (first < ids.length && offsets[2 * first]! < guard.length) {
    if (offsets[2 * first + 1]! > guard.length) return undefined;
    first++;
  }
  const shifted = offsets.slice(2 * first).map((offset) => offset - guard.length);
  return { ids: ids.slice(first), offsets: shifted };
};

/**
 * @param encode the plain encoding of a batch, without special tokens
 * @returns for each text its ids and its offsets in UTF-16 units of the text
 */
export const encodeContinuations = async (
  texts: readonly string[],
  encode: (texts: readonly string[]) => Promise<EncodedText[]>,
): Promise<EncodedText[]> => {
  const results = new Array<EncodedText | undefined>(texts.length);
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
    results[index] = plain[i]!;
  });
  return results as EncodedText[];
};
