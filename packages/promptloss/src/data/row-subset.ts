// Some of a data set's rows: what is left for training when others are held out.
import type { WeightedRows, WeightedTokens } from "./tokens/index.ts";

/** Weighted rows by index. */
export type RowSet = Pick<WeightedRows, "length" | "lengths" | "at">;

export class RowSubset implements RowSet {
  readonly lengths: Int32Array;
  readonly #rows: RowSet;
  readonly #indices: Int32Array;

  constructor(rows: RowSet, indices: Int32Array) {
    this.#rows = rows;
    this.#indices = indices;
    this.lengths = indices.map((index) => rows.lengths[index]!);
  }

  get length(): number {
    return this.#indices.length;
  }

  /** @throws {RangeError} when there is no such row */
  at(index: number): WeightedTokens {
    const found = this.#indices[index];
    if (found === undefined) throw new RangeError(`no row ${index} among ${this.length}`);
    return this.#rows.at(found);
  }
}
