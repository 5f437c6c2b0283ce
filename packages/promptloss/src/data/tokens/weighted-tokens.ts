// The structure that travels from the weight policy to the batch: ids, classes and weights of one row, of one
// length, that can only be cut together.
import { type RowSource, TOKEN_CLASSES } from "../example.ts";
import { WeightError } from "./errors.ts";

export interface WeightedTokensFields {
  readonly ids: Int32Array;
  readonly classes: Uint8Array;
  readonly weights: Float32Array;
  readonly source: RowSource;
  /** What a reference model makes of each token, where a loss asks for it: a number of predicting token t from those before it. */
  readonly reference?: Float32Array | undefined;
  /**
   * How many of its first tokens an encoder reads while the decoder neither reads nor predicts them; undefined where each
   * token but the first is predicted.
   */
  readonly encoded?: number | undefined;
}

/**
 * A row of tokens. The weight at position t is the weight of predicting token t from those before it, so that of the
 * first is never used, nor those of tokens that only an encoder reads; shifting by one position is the trainer's work. Frozen: whoever cuts it gets a new one.
 */
export class WeightedTokens implements WeightedTokensFields {
  /** Vocabulary ids. */
  readonly ids: Int32Array;
  /** Codes of token classes: indices into TOKEN_CLASSES. */
  readonly classes: Uint8Array;
  /** Finite, 0 or more. */
  readonly weights: Float32Array;
  readonly source: RowSource;
  readonly reference: Float32Array | undefined;
  readonly encoded: number | undefined;

  private constructor(fields: WeightedTokensFields) {
    this.ids = fields.ids;
    this.classes = fields.classes;
    this.weights = fields.weights;
    this.source = fields.source;
    this.reference = fields.reference;
    this.encoded = fields.encoded;
    Object.freeze(this);
  }

  /**
   * Binds the arrays together. They are taken over, not copied.
   * @throws {WeightError} when lengths differ, a class is unknown or a weight is negative or not finite
   */
  static of(fields: WeightedTokensFields): WeightedTokens {
    const { ids, classes, weights, reference, encoded } = fields;
    if (classes.length !== ids.length || weights.length !== ids.length) {
      throw new WeightError(
        "weights",
        `${ids.length} ids, ${classes.length} classes, ${weights.length} weights`,
      );
    }
    if (reference !== undefined && reference.length !== ids.length)
      throw new WeightError(
        "reference",
        `${ids.length} ids, ${reference.length} numbers of a reference model`,
      );
    if (encoded !== undefined && !(Number.isInteger(encoded) && encoded >= 0 && encoded <= ids.length))
      throw new WeightError("encoded", `${encoded} of ${ids.length} tokens`);
    for (let i = 0; i < ids.length; i++) {
      const weight = weights[i]!;
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
        throw new WeightError("weights", `token ${i} weighs ${weight}; weights are finite and 0 or more`);
      }
      if (classes[i]! >= TOKEN_CLASSES.length)
        throw new WeightError("classes", `token ${i} has class ${classes[i]}`);
    }
    return new WeightedTokens(fields);
  }

  get length(): number {
    return this.ids.length;
  }

  /** The same row with what a reference model makes of it. */
  withReference(reference: Float32Array): WeightedTokens {
    return WeightedTokens.of({ ...this, reference });
  }

  /** The same row, of whose first tokens only an encoder knows. */
  withEncoded(encoded: number): WeightedTokens {
    return WeightedTokens.of({ ...this, encoded });
  }

  /** The first token that is predicted. */
  get firstPredicted(): number {
    return Math.max(1, this.encoded ?? 1);
  }

  /** The number of tokens whose prediction counts: weight above 0, those that nothing predicts left out. */
  get trainedCount(): number {
    let count = 0;
    for (let i = this.firstPredicted; i < this.weights.length; i++) if (this.weights[i]! > 0) count++;
    return count;
  }

  /** The tokens from `start` up to `end`, as a copy. Counted as Array.slice counts. */
  slice(start: number, end?: number): WeightedTokens {
    return new WeightedTokens({
      ids: this.ids.slice(start, end),
      classes: this.classes.slice(start, end),
      weights: this.weights.slice(start, end),
      source: this.source,
      reference: this.reference?.slice(start, end),
    });
  }

  /** All tokens but those from `start` up to `end`. */
  without(start: number, end: number): WeightedTokens {
    const [head, tail] = [this.slice(0, start), this.slice(Math.max(start, end))];
    return new WeightedTokens({ ...concatenate([head, tail]), source: this.source });
  }
}

/** The arrays of rows laid end to end. What a reference model makes of them is there where one of the rows has it. */
export function concatenate(rows: readonly WeightedTokens[]): {
  ids: Int32Array;
  classes: Uint8Array;
  weights: Float32Array;
  reference: Float32Array | undefined;
} {
  const length = rows.reduce((sum, row) => sum + row.length, 0);
  const ids = new Int32Array(length);
  const classes = new Uint8Array(length);
  const weights = new Float32Array(length);
  const reference = rows.some((row) => row.reference !== undefined) ? new Float32Array(length) : undefined;
  let position = 0;
  for (const row of rows) {
    ids.set(row.ids, position);
    classes.set(row.classes, position);
    weights.set(row.weights, position);
    if (reference !== undefined) reference.set(referenceOf(row), position);
    position += row.length;
  }
  return { ids, classes, weights, reference };
}

/** @throws {WeightError} for a row without, unless nothing of it is predicted */
function referenceOf(row: WeightedTokens): Float32Array {
  if (row.reference === undefined && row.length > 1)
    throw new WeightError("reference", "rows with numbers of a reference model and rows without in one pack");
  return row.reference ?? new Float32Array(row.length);
}
