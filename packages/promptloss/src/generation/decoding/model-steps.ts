// A batch of sequences in a model, step by step: prompts of any lengths first, then one token a sequence. Owns the
// cache of keys and values. Which tokens those are is decided elsewhere.
import type { Tensor } from "@promptloss/torch";
import { fromTypedArray } from "@promptloss/torch";
import { type CausalLanguageModel, changesRope, KeyValueCache, packSequences } from "../../models/index.ts";

/** Room made at once beyond the longest prompt; the cache grows by doubling. */
const FIRST_ROOM = 128;

export class ModelSteps {
  readonly #model: CausalLanguageModel;
  readonly #cache: KeyValueCache;
  /** What each sequence holds, kept for models whose cache may have to be read anew; null for the others. */
  #held: number[][] | null = null;

  /** @param rows sequences that are read first @param longest tokens of the longest of them */
  constructor(model: CausalLanguageModel, rows: number, longest: number, maxNewTokens: number) {
    this.#model = model;
    this.#cache = new KeyValueCache(model.architecture, rows, longest + Math.min(maxNewTokens, FIRST_ROOM));
  }

  /** Reads prompts. @returns the logits behind each, [prompts, vocabulary] float32 */
  prefill(prompts: readonly ArrayLike<number>[]): Tensor {
    if (this.#model.architecture.ropes.some(({ long }) => long !== undefined))
      this.#held = Array.from(prompts, (prompt) => Array.from(prompt));
    return this.#read(prompts);
  }

  #read(sequences: readonly ArrayLike<number>[]): Tensor {
    const packed = packSequences(sequences);
    const hidden = this.#model.forward(packed, { cache: this.#cache });
    const last = BigInt64Array.from(sequences, (_, i) => BigInt(packed.starts[i + 1]! - 1));
    const index = fromTypedArray(last, undefined, { device: hidden.device });
    return this.#model.logits(hidden.indexSelect(0, index)).float();
  }

  /** Reads one token of each sequence. @returns the logits behind each, [sequences, vocabulary] float32 */
  next(ids: Int32Array): Tensor {
    this.#held?.forEach((row, i) => {
      row.push(ids[i]!);
    });
    if (this.#held?.some(({ length }) => changesRope(this.#model.architecture, length - 1, 1))) {
      this.#cache.truncate(0);
      return this.#read(this.#held);
    }
    const starts = Int32Array.from({ length: ids.length + 1 }, (_, i) => i);
    return this.#model.logits(this.#model.forward({ ids, starts }, { cache: this.#cache })).float();
  }

  /** Keeps these rows, in this order; a row may come more than once. */
  reorder(rows: readonly number[]): void {
    this.#held &&= rows.map((row) => [...this.#held![row]!]);
    this.#cache.reorder(rows);
  }

  [Symbol.dispose](): void {
    this.#cache.free();
  }
}
