// A tokenized row before a weight policy: ids with their classes, and the weights that came with the data. It
// does not change with the policy, so it is what a token cache holds.
import { type RowSource, TOKEN_CLASSES, type TokenClass } from "../example.ts";

/** The code of each class in a token array: its index in TOKEN_CLASSES. */
export const CLASS_CODE = Object.freeze(
  Object.fromEntries(TOKEN_CLASSES.map((name, code) => [name, code])),
) as Readonly<Record<TokenClass, number>>;

export interface ClassifiedTokens {
  readonly ids: Int32Array;
  /** Codes of token classes. Length: that of `ids`. */
  readonly classes: Uint8Array;
  /**
   * The weights that parts of the data carry, NaN where a token's class decides. Length: that of `ids`;
   * undefined where no part of the row has one.
   */
  readonly partWeights: Float32Array | undefined;
  /**
   * Factors on the class's weight where `partWeights` has none, for what a template writes around a turn that has a
   * weight. Length: that of `ids`; undefined where all are 1.
   */
  readonly scales?: Float32Array | undefined;
  /** Multiplies all the row's weights. */
  readonly rowWeight: number;
  readonly source: RowSource;
}

/** Rows by index: an array in memory, or a cache on disk that reads them when asked. */
export interface ClassifiedRows {
  readonly length: number;
  /** Undefined beyond the last row. */
  at(index: number): ClassifiedTokens | undefined;
}

/** How many tokens of each class. */
export function countClasses(classes: Uint8Array): Record<TokenClass, number> {
  const counts = new Int32Array(TOKEN_CLASSES.length);
  for (const code of classes) counts[code]!++;
  return Object.fromEntries(TOKEN_CLASSES.map((name, code) => [name, counts[code]])) as Record<
    TokenClass,
    number
  >;
}
