// Rows laid end to end in one sequence, with positions that begin anew and the borders that attention must not
// cross. Like the rows, a frozen whole: ids, classes and weights cannot be parted.
import type { RowSource } from "../example.ts";
import { concatenate, type WeightedTokens } from "../tokens/index.ts";
import { TokenBlock } from "./token-block.ts";

export class PackedTokens extends TokenBlock {
  readonly ids: Int32Array;
  readonly classes: Uint8Array;
  readonly weights: Float32Array;
  /** Position of each token in its row, from 0. */
  readonly positions: Int32Array;
  /** Where each row starts, and at the end the length: the cumulative lengths of variable-length attention. */
  readonly starts: Int32Array;
  readonly sources: readonly RowSource[];

  private constructor(rows: readonly WeightedTokens[]) {
    super();
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

  protected range(index: number): readonly [number, number] {
    return [this.starts[index]!, this.starts[index + 1]!];
  }
}
