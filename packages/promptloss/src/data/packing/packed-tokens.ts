// Rows laid end to end in one sequence, with positions that begin anew and the borders that attention must not
// cross. Like the rows, a frozen whole: ids, classes and weights cannot be parted.
import type { RowSource } from "../example.ts";
import { concatenate, type WeightedTokens } from "../tokens/index.ts";
import { copyRow, type RowRange, type ShiftedTargets, shiftTargets } from "./row-ranges.ts";

export class PackedTokens {
  readonly ids: Int32Array;
  readonly classes: Uint8Array;
  /** The weight of predicting each token, as in WeightedTokens; that of a row's first token is never used. */
  readonly weights: Float32Array;
  /** Position of each token in its row, from 0. */
  readonly positions: Int32Array;
  /** Where each row starts, and at the end the length: the cumulative lengths of variable-length attention. */
  readonly starts: Int32Array;
  /** The row of the data at each place. */
  readonly sources: readonly RowSource[];

  private constructor(rows: readonly WeightedTokens[]) {
    const { ids, classes, weights } = concatenate(rows);
    this.ids = ids;
    this.classes = classes;
    this.weights = weights;
    this.starts = new Int32Array(rows.length + 1);
    this.positions = new Int32Array(ids.length);
    rows.forEach((row, index) => {
      const start = this.starts[index]!;
      this.starts[index + 1] = start + row.length;
      for (let i = 0; i < row.length; i++) this.positions[start + i] = i;
    });
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
    return copyRow(this, this.#range(index), this.sources[index]!);
  }

  /** What each position predicts: the next token of its own row. */
  shifted(): ShiftedTargets {
    return shiftTargets(
      this,
      this.sources.map((_, index) => this.#range(index)),
    );
  }

  #range(index: number): RowRange {
    return { start: this.starts[index]!, end: this.starts[index + 1]! };
  }
}
