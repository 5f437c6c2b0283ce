// Ids → text, token by token, as the continuation of a prompt: spaces stay where the decoder would drop them at the
// start of a text, and no piece ends inside a character.
import type { Tokenizer } from "../../data/tokenizer/index.ts";

/** Tokens before the continuation that decide how it begins. */
const CONTEXT = 6;

/** Given tokens that are kept before the oldest are forgotten. */
const MOST = 24;

/** Tokens of a character at most: one for each of its bytes. */
const CHARACTER = 4;

/** What the decoder writes for bytes that are no character yet. */
const INCOMPLETE = "\ufffd";

export interface DetokenizeOptions {
  /** Write special tokens out; they are left out where this is. */
  readonly keepSpecialTokens?: boolean;
}

/** The text of one sequence. Text comes as soon as later tokens can't change it. */
export class Detokenizer {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #options: { skipSpecialTokens: boolean };
  /** The last tokens, those given away first. */
  #ids: number[];
  /** How many of them have been given away as text. */
  #given: number;
  /** Where, among those, characters begin: the only places to cut, for half a character spoils what follows it. */
  #borders: number[] = [];
  /** Their text; undefined until it is needed. */
  #givenText: string | undefined;

  /** @param before the tokens that the sequence continues */
  constructor(
    tokenizer: Pick<Tokenizer, "decode">,
    before: ArrayLike<number>,
    options: DetokenizeOptions = {},
  ) {
    this.#tokenizer = tokenizer;
    this.#options = { skipSpecialTokens: options.keepSpecialTokens !== true };
    this.#ids = Array.from(before);
    this.#given = this.#ids.length;
  }

  /** Takes tokens. @returns the text that they settle, often of one token, sometimes none */
  async push(...ids: readonly number[]): Promise<string> {
    this.#ids.push(...ids);
    return this.#take(false);
  }

  /** @returns what is left; bytes that never became a character as replacement characters */
  async end(): Promise<string> {
    return this.#take(true);
  }

  async #take(all: boolean): Promise<string> {
    this.#givenText ??= await this.#begin();
    const text = await this.#decode(this.#ids);
    if (text.length <= this.#givenText.length || (!all && text.endsWith(INCOMPLETE))) return "";
    const fresh = text.slice(this.#givenText.length);
    this.#borders.push(this.#given);
    this.#given = this.#ids.length;
    this.#givenText = text;
    if (this.#given > MOST) await this.#forget();
    return fresh;
  }

  /** Keeps the last tokens before the sequence, from the beginning of a character. @returns their text */
  async #begin(): Promise<string> {
    const nearest = Math.max(0, this.#given - CONTEXT);
    for (let from = nearest; ; from--) {
      const text = await this.#decode(this.#ids.slice(from, this.#given));
      if (from > 0 && from > nearest - CHARACTER && text.startsWith(INCOMPLETE)) continue;
      this.#ids = this.#ids.slice(from);
      this.#given -= from;
      return text;
    }
  }

  async #forget(): Promise<void> {
    const from = this.#borders.findLast((border) => border <= this.#given - CONTEXT);
    if (from === undefined) return;
    this.#ids = this.#ids.slice(from);
    this.#given -= from;
    this.#borders = this.#borders.flatMap((border) => (border > from ? [border - from] : []));
    this.#givenText = await this.#decode(this.#ids);
  }

  #decode(ids: readonly number[]): Promise<string> {
    return ids.length === 0 ? Promise.resolve("") : this.#tokenizer.decode(ids, this.#options);
  }
}
