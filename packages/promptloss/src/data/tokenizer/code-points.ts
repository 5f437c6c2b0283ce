// The tokenizer library counts offsets in Unicode code points, JavaScript counts UTF-16 units. This maps the
// first to the second. A lone surrogate counts as one code point, as it does on its way into the library.

const SURROGATE = /[\ud800-\udfff]/;

/**
 * The UTF-16 position at which each code point of `text` starts, with `text.length` at the end; undefined
 * where the text has no surrogates, and the two ways of counting agree.
 */
export function codePointStarts(text: string): Int32Array | undefined {
  if (!SURROGATE.test(text)) return undefined;
  const starts = new Int32Array(text.length + 1);
  let count = 0;
  for (let unit = 0; unit < text.length; count++) {
    starts[count] = unit;
    unit += text.codePointAt(unit)! > 0xffff ? 2 : 1;
  }
  starts[count] = text.length;
  return starts.subarray(0, count + 1);
}

/** The code point at or before a UTF-16 position, for the starts of a text with surrogates. */
export function codePointIndex(starts: Int32Array, position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Flattens the library's [start, end] pairs into UTF-16 positions: token i spans [2i] to [2i + 1].
 * @param starts what codePointStarts says of the text
 */
export function utf16Offsets(
  pairs: readonly (readonly number[])[],
  starts: Int32Array | undefined,
): Int32Array {
  const flat = new Int32Array(pairs.length * 2);
  for (let i = 0; i < pairs.length; i++) {
    const [start = 0, end = 0] = pairs[i]!;
    flat[2 * i] = starts === undefined ? start : starts[start]!;
    flat[2 * i + 1] = starts === undefined ? end : starts[end]!;
  }
  return flat;
}
