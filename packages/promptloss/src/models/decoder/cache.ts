// Keys and values of the tokens read so far, for generation. Sequences of different lengths lie side by side, each
// from the left; what lies beyond a sequence's length is masked by the reader.
import { empty, fromTypedArray, keep, noGrad, range, scope, type Tensor } from "@promptloss/torch";
import type { Architecture } from "../config/architecture.ts";
import { ModelInputError } from "../errors.ts";
import type { Segment } from "./input.ts";

interface LayerStore {
  /** [sequences, key-value heads, capacity, head size]. */
  keys: Tensor;
  values: Tensor;
}

/** Owns its tensors: free it with `using` or `free()`. */
export class KeyValueCache {
  #lengths: number[];
  #layers: (LayerStore | undefined)[];
  #capacity: number;

  /**
   * @param sequences how many sequences it holds
   * @param capacity tokens a sequence to make room for at once; it grows where that is too little
   */
  constructor(architecture: Architecture, sequences: number, capacity = 64) {
    this.#lengths = new Array<number>(sequences).fill(0);
    this.#layers = new Array<LayerStore | undefined>(architecture.layers.length).fill(undefined);
    this.#capacity = Math.max(1, capacity);
  }

  /** Tokens held of each sequence. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /** [sequences], int64. */
  lengthsTensor(): Tensor {
    const device = this.#layers[0]?.keys.device ?? "cpu";
    return fromTypedArray(BigInt64Array.from(this.#lengths, BigInt), undefined, { device });
  }

  /** @internal Writes a layer's new keys and values behind those held: [tokens, key-value heads, head size]. */
  append(layer: number, segments: readonly Segment[], keys: Tensor, values: Tensor): void {
    noGrad(() =>
      scope(() => {
        const store = this.#room(layer, segments, keys);
        if (segments.every(({ length }) => length === 1)) {
          const rows = fromTypedArray(BigInt64Array.from(segments, (_, i) => BigInt(i)));
          const at = fromTypedArray(BigInt64Array.from(segments, ({ past }) => BigInt(past)));
          const device = keys.device;
          store.keys.put_(keys, rows.to({ device }), range(), at.to({ device }));
          store.values.put_(values, rows.to({ device }), range(), at.to({ device }));
          return;
        }
        segments.forEach(({ start, length, past }, row) => {
          const write = (into: Tensor, from: Tensor): void => {
            into
              .select(0, row)
              .narrow(1, past, length)
              .copy_(from.narrow(0, start, length).transpose(0, 1));
          };
          write(store.keys, keys);
          write(store.values, values);
        });
      }),
    );
  }

  /** @internal Counts the new tokens, once all layers have them. */
  advance(segments: readonly Segment[]): void {
    segments.forEach(({ length }, row) => {
      this.#lengths[row] = this.#lengths[row]! + length;
    });
  }

  /** @internal Views of the first `length` positions of all sequences. */
  read(layer: number, length: number): LayerStore {
    const { keys, values } = this.#layers[layer]!;
    return { keys: keys.narrow(2, 0, length), values: values.narrow(2, 0, length) };
  }

  /** @internal Views of the first `length` positions of one sequence, [1, heads, length, head size]. */
  readRow(layer: number, row: number, length: number): LayerStore {
    const { keys, values } = this.read(layer, length);
    return { keys: keys.narrow(0, row, 1), values: values.narrow(0, row, 1) };
  }

  /** Keeps the sequences of these rows, in this order; a row may come more than once (beams). */
  reorder(rows: readonly number[]): void {
    const outside = rows.find((row) => this.#lengths[row] === undefined);
    if (outside !== undefined)
      throw new ModelInputError(`row ${outside} of a cache of ${this.#lengths.length} sequences`);
    const same = rows.length === this.#lengths.length && rows.every((row, i) => row === i);
    if (same) return;
    for (const store of this.#layers) {
      if (store === undefined) continue;
      noGrad(() =>
        scope(() => {
          const index = fromTypedArray(BigInt64Array.from(rows, BigInt), undefined, {
            device: store.keys.device,
          });
          this.#replace(store, "keys", store.keys.indexSelect(0, index));
          this.#replace(store, "values", store.values.indexSelect(0, index));
        }),
      );
    }
    this.#lengths = rows.map((row) => this.#lengths[row]!);
  }

  /** Forgets all but the first `length` tokens of each sequence, or of one alone. */
  truncate(length: number, { row }: { row?: number } = {}): void {
    this.#lengths = this.#lengths.map((held, i) =>
      row === undefined || row === i ? Math.min(held, length) : held,
    );
  }

  free(): void {
    for (const store of this.#layers) {
      store?.keys.free();
      store?.values.free();
    }
    this.#layers = this.#layers.map(() => undefined);
    this.#lengths = this.#lengths.map(() => 0);
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #replace(store: LayerStore, which: "keys" | "values", tensor: Tensor): void {
    store[which].free();
    store[which] = keep(tensor);
  }

  #room(layer: number, segments: readonly Segment[], like: Tensor): LayerStore {
    const needed = Math.max(...segments.map(({ past, length }) => past + length));
    while (this.#capacity < needed) this.#capacity *= 2;
    const [, heads, headSize] = like.shape as [number, number, number];
    const { dtype, device } = like;
    let store = this.#layers[layer];
    const held = store?.keys.shape[2] ?? 0;
    if (store !== undefined && held >= needed) return store;
    const grown = (old: Tensor | undefined): Tensor => {
      const wide = empty([this.#lengths.length, heads, this.#capacity, headSize], { dtype, device });
      // What is beyond a sequence's length is masked, but 0 · NaN would still be NaN.
      wide.zero_();
      if (old !== undefined) wide.narrow(2, 0, held).copy_(old);
      return wide;
    };
    if (store === undefined) {
      store = { keys: keep(grown(undefined)), values: keep(grown(undefined)) };
      this.#layers[layer] = store;
    } else {
      this.#replace(store, "keys", grown(store.keys));
      this.#replace(store, "values", grown(store.values));
    }
    return store;
  }
}
