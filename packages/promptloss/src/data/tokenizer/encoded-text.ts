// The encoding of one text: its ids, and where each token stands in the text. Offsets of all tokens are costly
// to fetch from the library (as costly as encoding), so single places are looked up there when asked for.
import { codePointIndex, codePointStarts, utf16Offsets } from "./code-points.ts";

/** How far ahead to look for a token where a character has none of its own. */
const LOOK_AHEAD = 8;

/** What is used of the library's encodings. Its own types do not compile in a project that checks them. */
export interface LibraryEncoding {
  getIds(): number[];
  getOffsets(): number[][];
  tokenToChars(token: number): [start: number, end: number] | null | undefined;
  charToToken(position: number): number | null;
}

export class EncodedText {
  readonly ids: Int32Array;
  /** Lives as long as the library's memory for this encoding; see Tokenizer. */
  readonly nativeMemory: ArrayBuffer;
  readonly #text: string;
  readonly #encoding: LibraryEncoding;
  readonly #starts: Int32Array | undefined;
  #offsets: Int32Array | undefined;

  /** @internal Made by Tokenizer, without special tokens around the text. */
  constructor(text: string, encoding: LibraryEncoding, nativeMemory: ArrayBuffer) {
    this.nativeMemory = nativeMemory;
    this.ids = Int32Array.from(encoding.getIds());
    this.#text = text;
    this.#encoding = encoding;
    this.#starts = codePointStarts(text);
  }

  /** In UTF-16 units of the text: token i spans [2i] to [2i + 1]. */
  get offsets(): Int32Array {
    this.#offsets ??= utf16Offsets(this.#encoding.getOffsets(), this.#starts);
    return this.#offsets;
  }

  /** Where a token starts and ends in the text, in UTF-16 units. */
  rangeOf(token: number): readonly [start: number, end: number] {
    const [start = 0, end = 0] = this.#encoding.tokenToChars(token) ?? [];
    const starts = this.#starts;
    return starts === undefined ? [start, end] : [starts[start]!, starts[end]!];
  }

  /**
   * The first token that covers the character at a UTF-16 position or, where none does, one behind it;
   * `ids.length` beyond the last.
   */
  tokenAt(position: number): number {
    if (position >= this.#text.length) return this.ids.length;
    const first = this.#starts === undefined ? position : codePointIndex(this.#starts, position);
    for (let character = first; character < first + LOOK_AHEAD; character++) {
      const token = this.#encoding.charToToken(character);
      if (typeof token === "number") return token;
    }
    const { offsets } = this;
    let token = 0;
    while (token < this.ids.length && offsets[2 * token + 1]! <= position) token++;
    return token;
  }
}
