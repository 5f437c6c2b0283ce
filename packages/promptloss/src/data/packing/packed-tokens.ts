// Rows laid end to end in one sequence, with positions that begin anew and the borders that attention must not
// cross; copied out again, and shifted by one position to what each position predicts. Like the rows, a frozen whole: ids,
// classes and weights cannot be parted.
import type { RowSource } from "../example.ts";
import { concatenate, promptLength, WeightedTokens } from "../tokens/index.ts";

/** The target of a position that predicts nothing; torch's cross-entropy ignores it by default. */
export const IGNORE_INDEX = -100;

export interface ShiftedTargets {
  /** The id that follows each position within its row; IGNORE_INDEX where the row ends, and where it is not predicted. */
  readonly targets: Int32Array;
  /** The weight of that prediction; 0 where there is none. */
  readonly weights: Float32Array;
}

export class PackedTokens {
  readonly ids: Int32Array;
  /** Codes of token classes. */
  readonly classes: Uint8Array;
  /** The weight of predicting each token, as in WeightedTokens; that of a row's first token is never used. */
  readonly weights: Float32Array;
  /** What a reference model makes of each token, as in WeightedTokens, where rows have it. */
  readonly reference: Float32Array | undefined;
  /** Position of each token in its row, from 0. */
  readonly positions: Int32Array;
  /** Where each row starts, and at the end the length: the cumulative lengths of variable-length attention. */
  readonly starts: Int32Array;
  /** Of each row how many of its first tokens an encoder reads, where a model has one: its prompt. */
  readonly splits: Int32Array;
  /** Of each row its tokens that only an encoder knows; undefined for rows that are predicted whole. */
  readonly #encoded: readonly (number | undefined)[];
  /** The row of the data at each place. */
  readonly sources: readonly RowSource[];

  private constructor(rows: readonly WeightedTokens[]) {
    const { ids, classes, weights, reference } = concatenate(rows);
    this.ids = ids;
    this.classes = classes;
    this.weights = weights;
    this.reference = reference;
    this.starts = new Int32Array(rows.length + 1);
    this.positions = new Int32Array(ids.length);
    rows.forEach((row, index) => {
      const start = this.starts[index]!;
      this.starts[index + 1] = start + row.length;
      for (let i = 0; i < row.length; i++) this.positions[start + i] = i;
    });
    this.#encoded = rows.map(({ encoded }) => encoded);
    this.splits = Int32Array.from(rows, ({ encoded, classes }) => encoded ?? promptLength(classes));
    this.sources = Object.freeze(rows.map(({ source }) => source));
    Object.freeze(this);
  }

  /** Copies the rows into one sequence, in order. */
  static of(rows: readonly WeightedTokens[]): PackedTokens {
    return new PackedTokens(rows);
  }

  get length(): number {
    return this.ids.length;
  }

  get rowCount(): number {
    return this.sources.length;
  }

  /** Copies a row out again. */
  row(index: number): WeightedTokens {
    const [start, end] = [this.starts[index]!, this.starts[index + 1]!];
    return WeightedTokens.of({
      ids: this.ids.slice(start, end),
      classes: this.classes.slice(start, end),
      weights: this.weights.slice(start, end),
      source: this.sources[index]!,
      reference: this.reference?.slice(start, end),
      encoded: this.#encoded[index],
    });
  }

  /** The place of a row's first token that is predicted. */
  firstPredicted(index: number): number {
    return this.starts[index]! + Math.max(1, this.#encoded[index] ?? 1);
  }

  /** What a reference model makes of what each position predicts; 0 where that is nothing. Undefined where rows have none. */
  shiftedReference(): Float32Array | undefined {
    const { reference } = this;
    if (reference === undefined) return undefined;
    const shifted = new Float32Array(reference.length);
    for (let index = 0; index < this.rowCount; index++) {
      const [first, end] = [this.firstPredicted(index), this.starts[index + 1]!];
      if (first < end) shifted.set(reference.subarray(first, end), first - 1);
    }
    return shifted;
  }

  /** What each position predicts: the next token of its own row. Shape: that of `ids`. */
  shifted(): ShiftedTargets {
    const targets = new Int32Array(this.ids.length).fill(IGNORE_INDEX);
    const weights = new Float32Array(this.ids.length);
    for (let index = 0; index < this.rowCount; index++) {
      const [first, end] = [this.firstPredicted(index), this.starts[index + 1]!];
      if (first >= end) continue;
      targets.set(this.ids.subarray(first, end), first - 1);
      weights.set(this.weights.subarray(first, end), first - 1);
    }
    return { targets, weights };
  }
}
