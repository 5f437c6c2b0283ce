// The masks of a model's tokens for the grammars that were asked for last.
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import { type SchemaGrammar, TokenMasks, TokenTree } from "../grammar/index.ts";

/** Grammars that are kept. */
const KEPT = 16;

export class MaskShelf {
  readonly #tokenizer: Pick<Tokenizer, "bytesOf" | "specialIds" | "specialTexts">;
  readonly #vocabulary: number;
  readonly #trees = new Map<boolean, TokenTree>();
  readonly #masks = new Map<string, TokenMasks>();

  /** @param vocabulary the model's */
  constructor(tokenizer: Pick<Tokenizer, "bytesOf" | "specialIds" | "specialTexts">, vocabulary: number) {
    this.#tokenizer = tokenizer;
    this.#vocabulary = vocabulary;
  }

  /**
   * @param key the same for the same grammar
   * @param special whether special tokens stand for their texts, as marks of calls do in some templates
   */
  get(key: string, make: () => SchemaGrammar, { special = false } = {}): TokenMasks {
    const found = this.#masks.get(key) ?? new TokenMasks(make(), this.#tree(special));
    this.#masks.delete(key);
    this.#masks.set(key, found);
    if (this.#masks.size > KEPT) this.#masks.delete(this.#masks.keys().next().value!);
    return found;
  }

  /** Whether a text has the text of a special token in it. */
  hasSpecial(text: string): boolean {
    return this.#tokenizer.specialTexts.some((each) => each !== "" && text.includes(each));
  }

  #tree(special: boolean): TokenTree {
    let tree = this.#trees.get(special);
    if (tree === undefined) {
      const { specialIds } = this.#tokenizer;
      tree = new TokenTree(this.#vocabulary, (id) =>
        !special && specialIds.has(id) ? undefined : this.#tokenizer.bytesOf(id),
      );
      this.#trees.set(special, tree);
    }
    return tree;
  }
}
