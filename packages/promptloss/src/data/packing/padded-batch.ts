// Rows of different lengths as one rectangle, padded on the right. Padding weighs nothing and is no one's target.
import type { RowSource } from "../example.ts";
import { CLASS_CODE, type WeightedTokens } from "../tokens/index.ts";
import { copyRow, type RowRange, type ShiftedTargets, shiftTargets } from "./row-ranges.ts";

export class PaddedBatch {
  /** [rows, length], row by row. */
  readonly ids: Int32Array;
  /** [rows, length]; padding is `template`. */
  readonly classes: Uint8Array;
  /** [rows, length]; 0 for padding. The weight of predicting each token, as in WeightedTokens. */
  readonly weights: Float32Array;
  /** [rows]: tokens of each row before the padding. */
  readonly lengths: Int32Array;
  /** The longest row. */
  readonly length: number;
  readonly sources: readonly RowSource[];

  private constructor(rows: readonly WeightedTokens[], padId: number) {
    this.length = rows.reduce((most, row) => Math.max(most, row.length), 0);
    const size = rows.length * this.length;
    this.ids = new Int32Array(size).fill(padId);
    this.classes = new Uint8Array(size).fill(CLASS_CODE.template);
    this.weights = new Float32Array(size);
    this.lengths = Int32Array.from(rows, (row) => row.length);
    rows.forEach((row, index) => {
      this.ids.set(row.ids, index * this.length);
      this.classes.set(row.classes, index * this.length);
      this.weights.set(row.weights, index * this.length);
    });
    this.sources = Object.freeze(rows.map(({ source }) => source));
    Object.freeze(this);
  }

  /** Copies rows into a rectangle. */
  static of(rows: readonly WeightedTokens[], padId: number): PaddedBatch {
    return new PaddedBatch(rows, padId);
  }

  get rowCount(): number {
    return this.sources.length;
  }

  /** Copies a row out again, without padding. */
  row(index: number): WeightedTokens {
    return copyRow(this, this.#range(index), this.sources[index]!);
  }

  /** [rows, length]: what each position predicts. A row's last token and padding predict nothing. */
  shifted(): ShiftedTargets {
    return shiftTargets(
      this,
      this.sources.map((_, index) => this.#range(index)),
    );
  }

  #range(index: number): RowRange {
    const start = index * this.length;
    return { start, end: start + this.lengths[index]! };
  }
}
