// Keys and values of the tokens read so far, for generation. Sequences of different lengths lie side by side, each
// from the left; what lies beyond a sequence's length is masked by the reader.
import { type DType, empty, keep, noGrad, range, scope, type Tensor, upload } from "@promptloss/torch";
import type { Architecture } from "../config/architecture.ts";
import { ModelInputError } from "../errors.ts";
import type { Segment } from "./input.ts";

export interface LayerStore {
  /** [sequences, key-value heads, capacity, head size], where nothing else is said. */
  keys: Tensor;
  values: Tensor;
}

/** What an encoder made of one prompt, for a decoder's layers: keys and values, each [tokens, key-value heads, head size]. */
export interface PromptStore {
  readonly layers: LayerStore[];
}

/** What keys and values of a layer are made of. */
interface KeyValueKind {
  readonly heads: number;
  readonly headSize: number;
  readonly dtype: DType;
  readonly device: string;
}

/** Keys and values of the first tokens of one sequence, by layer: each [1, key-value heads, tokens, head size]. */
export interface HeldPrefix {
  readonly tokens: number;
  readonly layers: readonly (LayerStore | undefined)[];
}

/** Owns its tensors: free it with `using` or `free()`. */
export class KeyValueCache {
  #lengths: number[];
  #layers: (LayerStore | undefined)[];
  #capacity: number;
  /** Sequences that there is room for. */
  #rows: number;
  /** Of an encoder-decoder, by sequence: its prompt, once it is read. Sequences of one prompt share it. */
  #prompts: (PromptStore | undefined)[];

  /**
   * @param sequences how many sequences it holds
   * @param capacity tokens a sequence to make room for at once; it grows where that is too little
   */
  constructor(architecture: Architecture, sequences: number, capacity = 64) {
    this.#lengths = new Array<number>(sequences).fill(0);
    this.#layers = new Array<LayerStore | undefined>(architecture.layers.length).fill(undefined);
    this.#capacity = Math.max(1, capacity);
    this.#rows = sequences;
    this.#prompts = new Array<PromptStore | undefined>(sequences).fill(undefined);
  }

  /** Tokens held of each sequence. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /** [sequences], int64. */
  lengthsTensor(): Tensor {
    const device = this.#layers[0]?.keys.device ?? "cpu";
    return upload([Int32Array.from(this.#lengths)], device)[0]!.long();
  }

  /** @internal Writes a layer's new keys and values behind those held: [tokens, key-value heads, head size]. */
  append(layer: number, segments: readonly Segment[], keys: Tensor, values: Tensor): void {
    noGrad(() =>
      scope(() => {
        const store = this.#room(layer, segments, keys);
        const single = segments.flatMap(({ length }, row) => (length === 1 ? [row] : []));
        if (single.length > 0) {
          const device = keys.device;
          const index = (values: readonly number[]): Tensor =>
            upload([Int32Array.from(values)], device)[0]!.long();
          const rows = index(single);
          const at = index(single.map((row) => segments[row]!.past));
          const all = single.length === segments.length;
          const tokens = all ? undefined : index(single.map((row) => segments[row]!.start));
          const of = (from: Tensor): Tensor => (tokens === undefined ? from : from.indexSelect(0, tokens));
          store.keys.put_(of(keys), rows, range(), at);
          store.values.put_(of(values), rows, range(), at);
        }
        segments.forEach(({ start, length, past }, row) => {
          if (length === 1) return;
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

  /** @internal By sequence: what an encoder made of its prompt, of those that it has read. */
  get prompts(): readonly (PromptStore | undefined)[] {
    return this.#prompts;
  }

  /** @internal Keeps a layer's keys and values of a sequence's prompt, as copies. Layers come in their order. */
  keepPrompt(sequence: number, keys: Tensor, values: Tensor): void {
    const store = this.#prompts[sequence] ?? { layers: [] };
    this.#prompts[sequence] = store;
    noGrad(() => scope(() => store.layers.push({ keys: keep(keys.clone()), values: keep(values.clone()) })));
  }

  /** Gives sequences these prompts, and frees those that no sequence has any more. */
  #sharePrompts(prompts: readonly (PromptStore | undefined)[]): void {
    const used = new Set(prompts);
    for (const store of new Set(this.#prompts))
      if (store !== undefined && !used.has(store)) freeLayers(store.layers);
    this.#prompts = [...prompts];
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
    const rows = this.#lengths.length;
    const part = (of: Tensor): Tensor =>
      (of.shape[0] === rows ? of : of.narrow(0, 0, rows)).narrow(2, 0, length);
    return { keys: part(keys), values: part(values) };
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
          const index = upload([Int32Array.from(rows)], store.keys.device)[0]!.long();
          this.#replace(store, "keys", store.keys.indexSelect(0, index));
          this.#replace(store, "values", store.values.indexSelect(0, index));
        }),
      );
    }
    this.#lengths = rows.map((row) => this.#lengths[row]!);
    this.#rows = rows.length;
    this.#sharePrompts(rows.map((row) => this.#prompts[row]));
  }

  /** Adds a sequence that holds nothing yet. @returns its row, the last */
  add(): number {
    this.#prompts.push(undefined);
    return this.#lengths.push(0) - 1;
  }

  /** Removes a sequence; the last one takes its row. */
  remove(row: number): void {
    const last = this.#lengths.length - 1;
    if (row !== last) this.copyPrefix(last, row, this.#lengths[last]!);
    this.#lengths.pop();
    this.#sharePrompts(this.#prompts.slice(0, -1));
  }

  /** Gives a row the first tokens of another, in place of what it holds. */
  copyPrefix(from: number, to: number, tokens: number): void {
    if (tokens > 0 && this.#layers.some((store) => store !== undefined)) {
      const held = this.hold(from, tokens, { copy: false });
      this.put(to, held);
      freeHeld(held);
    }
    this.#lengths[to] = tokens;
    this.#sharePrompts(this.#prompts.map((_, row) => this.#prompts[row === to ? from : row]));
  }

  /** The first tokens of a row, as a copy that outlives the row, or a view. Its owner frees it. */
  hold(row: number, tokens: number, { copy = true } = {}): HeldPrefix {
    const part = (of: Tensor): Tensor => {
      const view = of.narrow(0, row, 1).narrow(2, 0, tokens);
      return keep(copy ? view.clone() : view);
    };
    const layers = noGrad(() =>
      scope(() =>
        this.#layers.map((store) => store && { keys: part(store.keys), values: part(store.values) }),
      ),
    );
    return { tokens, layers };
  }

  /** Gives a row tokens that were held, in place of what it holds. */
  put(row: number, { tokens, layers }: HeldPrefix): void {
    noGrad(() =>
      scope(() => {
        layers.forEach((held, layer) => {
          if (held === undefined) return;
          const [, heads, , headSize] = held.keys.shape as [number, number, number, number];
          const { dtype, device } = held.keys;
          const store = this.#roomFor(layer, tokens, { heads, headSize, dtype, device });
          store.keys.narrow(0, row, 1).narrow(2, 0, tokens).copy_(held.keys);
          store.values.narrow(0, row, 1).narrow(2, 0, tokens).copy_(held.values);
        });
      }),
    );
    this.#lengths[row] = tokens;
  }

  /** Forgets all but the first `length` tokens of each sequence, or of one alone. */
  truncate(length: number, { row }: { row?: number } = {}): void {
    this.#lengths = this.#lengths.map((held, i) =>
      row === undefined || row === i ? Math.min(held, length) : held,
    );
  }

  free(): void {
    freeLayers(this.#layers);
    this.#sharePrompts(this.#prompts.map(() => undefined));
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
    const [, heads, headSize] = like.shape as [number, number, number];
    const { dtype, device } = like;
    const needed = Math.max(...segments.map(({ past, length }) => past + length));
    return this.#roomFor(layer, needed, { heads, headSize, dtype, device });
  }

  /** A layer's tensors with room for so many tokens of every sequence. */
  #roomFor(layer: number, needed: number, { heads, headSize, dtype, device }: KeyValueKind): LayerStore {
    while (this.#capacity < needed) this.#capacity *= 2;
    while (this.#rows < this.#lengths.length) this.#rows = Math.max(1, this.#rows * 2);
    let store = this.#layers[layer];
    const [rows = 0, , held = 0] = store?.keys.shape ?? [];
    if (store !== undefined && held >= needed && rows >= this.#lengths.length) return store;
    const grown = (old: Tensor | undefined): Tensor => {
      const wide = empty([this.#rows, heads, this.#capacity, headSize], { dtype, device });
      // What is beyond a sequence's length is masked, but 0 · NaN would still be NaN.
      wide.zero_();
      if (old !== undefined) wide.narrow(0, 0, rows).narrow(2, 0, held).copy_(old);
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

export function freeHeld({ layers }: HeldPrefix): void {
  freeLayers(layers);
}

function freeLayers(layers: readonly (LayerStore | undefined)[]): void {
  for (const store of layers) {
    store?.keys.free();
    store?.values.free();
  }
}
