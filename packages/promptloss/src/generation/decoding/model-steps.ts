// A batch of sequences in a model, step by step: prompts of any lengths first, then one token a sequence. Owns the
// cache of keys and values. Which tokens those are is decided elsewhere.
import type { Tensor } from "@promptloss/torch";
import { fromTypedArray } from "@promptloss/torch";
import { type CausalLanguageModel, KeyValueCache, packSequences } from "../../models/index.ts";

/** Room made at once beyond the longest prompt; the cache grows by doubling. */
const FIRST_ROOM = 128;

export class ModelSteps {
  readonly #model: CausalLanguageModel;
  readonly #cache: KeyValueCache;

  /** @param rows sequences that are read first @param longest tokens of the longest of them */
  constructor(model: CausalLanguageModel, rows: number, longest: number, maxNewTokens: number) {
    this.#model = model;
    this.#cache = new KeyValueCache(model.architecture, rows, longest + Math.min(maxNewTokens, FIRST_ROOM));
  }

  /** Reads prompts. @returns the logits behind each, [prompts, vocabulary] float32 */
  prefill(prompts: readonly ArrayLike<number>[]): Tensor {
    const packed = packSequences(prompts);
    const hidden = this.#model.forward(packed, { cache: this.#cache });
    const last = BigInt64Array.from(prompts, (_, i) => BigInt(packed.starts[i + 1]! - 1));
    const index = fromTypedArray(last, undefined, { device: hidden.device });
    return this.#model.logits(hidden.indexSelect(0, index)).float();
  }

  /** Reads one token of each sequence. @returns the logits behind each, [sequences, vocabulary] float32 */
  next(ids: Int32Array): Tensor {
    const starts = Int32Array.from({ length: ids.length + 1 }, (_, i) => i);
    return this.#model.logits(this.#model.forward({ ids, starts }, { cache: this.#cache })).float();
  }

  /** Keeps these rows, in this order; a row may come more than once. */
  reorder(rows: readonly number[]): void {
    this.#cache.reorder(rows);
  }

  [Symbol.dispose](): void {
    this.#cache.free();
  }
}
