// Rows of different lengths as one rectangle, padded on the right. Padding weighs nothing and is no one's target.
import type { RowSource } from "../example.ts";
import { CLASS_CODE, type WeightedTokens } from "../tokens/index.ts";
import { TokenBlock } from "./token-block.ts";

/** All arrays but `lengths` have shape [rows, length], row by row. */
export class PaddedBatch extends TokenBlock {
  readonly ids: Int32Array;
  /** Padding is `template`. */
  readonly classes: Uint8Array;
  /** 0 for padding. */
  readonly weights: Float32Array;
  /** [rows]: tokens of each row before the padding. */
  readonly lengths: Int32Array;
  /** The longest row. */
  readonly length: number;
  readonly sources: readonly RowSource[];

  private constructor(rows: readonly WeightedTokens[], padId: number) {
    super();
    this.length = rows.reduce((most, row) => Math.max(most, row.length), 0);
    const size = rows.length * this.length;
    this.ids = new Int32Array(size).fill(padId);
    this.classes = new Uint8Array(size).fill(CLASS_CODE.template);
    this.weights = new Float32Array(size);
    this.lengths = Int32Array.from(rows, (row) => row.length);
    rows.forEach((row, index) => {
      const start = index * this.length;
      this.ids.set(row.ids, start);
      this.classes.set(row.classes, start);
      this.weights.set(row.weights, start);
    });
    this.sources = Object.freeze(rows.map(({ source }) => source));
    Object.freeze(this);
  }

  /** Copies rows into a rectangle. */
  static of(rows: readonly WeightedTokens[], padId: number): PaddedBatch {
    return new PaddedBatch(rows, padId);
  }

  protected range(index: number): readonly [number, number] {
    const start = index * this.length;
    return [start, start + this.lengths[index]!];
  }
}
