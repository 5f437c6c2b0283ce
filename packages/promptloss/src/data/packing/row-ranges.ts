// What packs and padded batches share: rows that stand somewhere in long arrays, copied out again and shifted
// by one position to what each position predicts.
import type { RowSource } from "../example.ts";
import { WeightedTokens } from "../tokens/index.ts";

/** The target of a position that predicts nothing; torch's cross-entropy ignores it by default. */
export const IGNORE_INDEX = -100;

export interface ShiftedTargets {
  /** The id that follows each position within its row; IGNORE_INDEX at the last position of a row. */
  readonly targets: Int32Array;
  /** The weight of that prediction; 0 at the last position of a row. */
  readonly weights: Float32Array;
}

/** Where a row stands. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

export interface TokenArrays {
  readonly ids: Int32Array;
  readonly classes: Uint8Array;
  readonly weights: Float32Array;
}

export const copyRow = (arrays: TokenArrays, { start, end }: RowRange, source: RowSource): WeightedTokens =>
  WeightedTokens.of({
    ids: arrays.ids.slice(start, end),
    classes: arrays.classes.slice(start, end),
    weights: arrays.weights.slice(start, end),
    source,
  });

export const shiftTargets = ({ ids, weights }: TokenArrays, rows: Iterable<RowRange>): ShiftedTargets => {
  const shifted = {
    targets: new Int32Array(ids.length).fill(IGNORE_INDEX),
    weights: new Float32Array(ids.length),
  };
  for (const { start, end } of rows) {
    if (end - start < 2) continue;
    shifted.targets.set(ids.subarray(start + 1, end), start);
    shifted.weights.set(weights.subarray(start + 1, end), start);
  }
  return shifted;
};
