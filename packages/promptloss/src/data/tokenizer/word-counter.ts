// Counts the tokens of texts by adding up those of their words: the library encodes a word once, and texts are mostly
// words that were seen before. Only for tokenizers whose words do not depend on each other (word-rules.ts).
import type { WordRules } from "./word-rules.ts";

/** The library's part: each text's ids, and each text's number of tokens. */
export interface WholeTexts {
  encodeIds(texts: readonly string[]): Promise<ArrayLike<number>[]>;
  countBatch(texts: readonly string[]): Promise<Int32Array>;
}

/** Words kept: some 30 MB. When there are as many, all are forgotten. */
const MOST_WORDS = 2 ** 18;

/** Longer words hardly come again. */
const LONGEST_WORD = 64;

/** Words in a text that is made to encode them. */
const WORDS_AT_ONCE = 256;

/** From here on V8 makes a part of a string a reference to the whole, which would stay in memory with it. */
const SHARED_FROM = 13;

function copyOf(word: string): string {
  return word.length < SHARED_FROM ? word : Buffer.from(word, "utf16le").toString("utf16le");
}

const SPACE = " ".charCodeAt(0);

export class WordCounter {
  readonly #rules: WordRules;
  readonly #library: WholeTexts;
  #known = new Map<string, number>();

  constructor(rules: WordRules, library: WholeTexts) {
    this.#rules = rules;
    this.#library = library;
  }

  /** The number of tokens of each text, as the library would count them. */
  async countBatch(texts: readonly string[]): Promise<Int32Array> {
    const counts = new Int32Array(texts.length);
    const whole: number[] = [];
    /** Words that are not known yet, with the texts that have them. */
    const unknown = new Map<string, number[]>();
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i]!;
      if (this.#follows(text)) counts[i] = this.#add(text, i, unknown);
      else whole.push(i);
    }
    const [found, others] = await Promise.all([
      this.#encode([...unknown.keys()]),
      this.#library.countBatch(whole.map((i) => texts[i]!)),
    ]);
    for (const [word, where] of unknown) for (const i of where) counts[i]! += found.get(word)!;
    whole.forEach((i, k) => {
      counts[i] = others[k]!;
    });
    return counts;
  }

  /** Whether the rules hold for a text. Spaces at its end belong to no word. */
  #follows(text: string): boolean {
    return !text.endsWith(" ") && !this.#rules.exceptions.some((exception) => text.includes(exception));
  }

  /** The tokens of a text's known words; the others join `unknown`. */
  #add(text: string, index: number, unknown: Map<string, number[]>): number {
    const prefixed = this.#rules.prefix === "always" || text.charCodeAt(0) !== SPACE ? ` ${text}` : text;
    let tokens = 0;
    for (let start = 0, end: number; start < prefixed.length && text !== ""; start = end) {
      let inside = start;
      while (prefixed.charCodeAt(inside) === SPACE) inside++;
      end = prefixed.indexOf(" ", inside);
      if (end < 0) end = prefixed.length;
      const word = prefixed.slice(start, end);
      const count = this.#known.get(word);
      if (count !== undefined) tokens += count;
      else if (unknown.has(word)) unknown.get(word)!.push(index);
      else unknown.set(copyOf(word), [index]);
    }
    return tokens;
  }

  /** The tokens of words, each of which begins with a space, encoded many in a text. */
  async #encode(words: readonly string[]): Promise<Map<string, number>> {
    const groups: string[][] = [];
    for (let i = 0; i < words.length; i += WORDS_AT_ONCE) groups.push(words.slice(i, i + WORDS_AT_ONCE));
    // A letter before them takes what the tokenizer puts before a text.
    const encoded = await this.#library.encodeIds(groups.map((group) => `x${group.join("")}`));
    const found = new Map<string, number>();
    groups.forEach((group, g) => {
      const [, ...lengths] = wordLengths(encoded[g]!, this.#rules);
      if (lengths.length !== group.length)
        throw new Error(
          `${group.length} words were encoded as ${lengths.length}; please report this tokenizer`,
        );
      group.forEach((word, i) => {
        found.set(word, lengths[i]!);
      });
    });
    this.#keep(found);
    return found;
  }

  #keep(found: ReadonlyMap<string, number>): void {
    for (const [word, count] of found) {
      if (word.length > LONGEST_WORD) continue;
      if (this.#known.size >= MOST_WORDS) this.#known = new Map();
      this.#known.set(word, count);
    }
  }
}

/** The number of tokens of each word of an encoded text: a word begins where a ▁ follows another character. */
function wordLengths(ids: ArrayLike<number>, { begins, ends }: WordRules): number[] {
  const lengths: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (i === 0 || (begins[ids[i]!] === 1 && ends[ids[i - 1]!] === 0)) lengths.push(0);
    lengths[lengths.length - 1]!++;
  }
  return lengths;
}
