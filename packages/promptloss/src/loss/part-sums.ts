// Unweighted sums of what a model did on each part of the rows: comparable between runs of any prompt loss weight.
import type { PackedTokens } from "../data/packing/index.ts";
import { PART_OF_CODE, TOKEN_PARTS, type TokenPart } from "../data/token-parts.ts";

/** The parts, and `completion`: content and end together. */
export const MEASURED = [...TOKEN_PARTS, "completion"] as const;

export type Measured = (typeof MEASURED)[number];

export interface PartSum {
  /** Predictions measured. */
  tokens: number;
  /** Predictions that were not measured, their weight being 0. */
  unmeasured: number;
  /** Σ ℓ in nats. */
  loss: number;
  /** Predictions where no token was likelier than the target. */
  correct: number;
}

export type PartSums = Readonly<Record<TokenPart, PartSum>>;

function emptySum(): PartSum {
  return { tokens: 0, unmeasured: 0, loss: 0, correct: 0 };
}

export function emptyPartSums(): PartSums {
  return { prompt: emptySum(), content: emptySum(), end: emptySum() };
}

/** What was measured at each place of a pack: place t is the prediction of token t + 1. */
export interface Predictions {
  readonly losses: ArrayLike<number>;
  readonly correct: ArrayLike<number>;
}

/** The sums over a row's predictions, of which `isMeasured` tells whether there are numbers. */
export function rowSums(
  pack: PackedTokens,
  row: number,
  predictions: Predictions,
  isMeasured: (place: number) => boolean,
): PartSums {
  const sums = emptyPartSums();
  const end = pack.starts[row + 1]! - 1;
  for (let place = pack.firstPredicted(row) - 1; place < end; place++) {
    const sum = sums[PART_OF_CODE[pack.classes[place + 1]!]!];
    if (!isMeasured(place)) {
      sum.unmeasured++;
      continue;
    }
    sum.tokens++;
    sum.loss += predictions.losses[place]!;
    sum.correct += predictions.correct[place]!;
  }
  return sums;
}

export function addPartSums(into: PartSums, from: PartSums): void {
  for (const part of TOKEN_PARTS) add(into[part], from[part]);
}

function add(into: PartSum, from: PartSum): void {
  into.tokens += from.tokens;
  into.unmeasured += from.unmeasured;
  into.loss += from.loss;
  into.correct += from.correct;
}

/** The sums over several rows. */
export function totalSums(rows: readonly PartSums[]): PartSums {
  const total = emptyPartSums();
  for (const row of rows) addPartSums(total, row);
  return total;
}

/** Mean cross entropy in nats, the share of tokens that the model would choose, and over how many tokens. */
export interface PartMeans {
  readonly loss: number;
  readonly accuracy: number;
  readonly tokens: number;
}

/** Means by part; without a part of which some token was not measured, or that has none. */
export function partMeans(sums: PartSums): Partial<Record<Measured, PartMeans>> {
  const completion = emptySum();
  for (const part of ["content", "end"] as const) add(completion, sums[part]);
  const all = { ...sums, completion };
  return Object.fromEntries(
    MEASURED.flatMap((name) => {
      const { tokens, unmeasured, loss, correct } = all[name];
      if (tokens === 0 || unmeasured > 0) return [];
      return [[name, { loss: loss / tokens, accuracy: correct / tokens, tokens }]];
    }),
  );
}
