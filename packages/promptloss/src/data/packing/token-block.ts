// What packs and padded batches share: rows that stand somewhere in long arrays, copied out again, and shifted
// by one position to what each position predicts.
import type { RowSource } from "../example.ts";
import { WeightedTokens } from "../tokens/index.ts";

/** The target of a position that predicts nothing; torch's cross-entropy ignores it by default. */
export const IGNORE_INDEX = -100;

export interface ShiftedTargets {
  /** The id that follows each position within its row; IGNORE_INDEX where the row ends and for padding. */
  readonly targets: Int32Array;
  /** The weight of that prediction; 0 where there is none. */
  readonly weights: Float32Array;
}

/** Rows in one block of memory. */
export abstract class TokenBlock {
  abstract readonly ids: Int32Array;
  /** Codes of token classes. */
  abstract readonly classes: Uint8Array;
  /** The weight of predicting each token, as in WeightedTokens; that of a row's first token is never used. */
  abstract readonly weights: Float32Array;
  /** The row of the data at each place. */
  abstract readonly sources: readonly RowSource[];

  /** Where a row stands in the arrays. */
  protected abstract range(index: number): readonly [start: number, end: number];

  get rowCount(): number {
    return this.sources.length;
  }

  /** Copies a row out again, without padding. */
  row(index: number): WeightedTokens {
    const [start, end] = this.range(index);
    return WeightedTokens.of({
      ids: this.ids.slice(start, end),
      classes: this.classes.slice(start, end),
      weights: this.weights.slice(start, end),
      source: this.sources[index]!,
    });
  }

  /** What each position predicts: the next token of its own row. Shape: that of `ids`. */
  shifted(): ShiftedTargets {
    const targets = new Int32Array(this.ids.length).fill(IGNORE_INDEX);
    const weights = new Float32Array(this.ids.length);
    for (let index = 0; index < this.rowCount; index++) {
      const [start, end] = this.range(index);
      if (end - start < 2) continue;
      targets.set(this.ids.subarray(start + 1, end), start);
      weights.set(this.weights.subarray(start + 1, end), start);
    }
    return { targets, weights };
  }
}
