// Unweighted sums of what a model did on each side of the rows: comparable between runs of any prompt loss weight.
import type { PackedTokens } from "../data/packing/index.ts";
import { type BySide, IS_ANSWER } from "./normalization.ts";

export interface SideSum {
  /** Predictions measured. */
  tokens: number;
  /** Σ ℓ in nats. */
  loss: number;
  /** Predictions where no token was likelier than the target. */
  correct: number;
}

export type SideSums = BySide<SideSum>;

export const emptySideSums = (): SideSums => ({
  prompt: { tokens: 0, loss: 0, correct: 0 },
  completion: { tokens: 0, loss: 0, correct: 0 },
});

/** What was measured at each place of a pack: place t is the prediction of token t + 1. */
export interface Predictions {
  readonly losses: ArrayLike<number>;
  readonly correct: ArrayLike<number>;
}

/** The sums over a row's predictions that `counts` tells of. */
export const rowSums = (
  pack: PackedTokens,
  row: number,
  predictions: Predictions,
  counts: (place: number) => boolean,
): SideSums => {
  const sums = emptySideSums();
  const end = pack.starts[row + 1]! - 1;
  for (let place = pack.starts[row]!; place < end; place++) {
    if (!counts(place)) continue;
    const sum = IS_ANSWER[pack.classes[place + 1]!] === 1 ? sums.completion : sums.prompt;
    sum.tokens++;
    sum.loss += predictions.losses[place]!;
    sum.correct += predictions.correct[place]!;
  }
  return sums;
};

export const addSideSums = (into: SideSums, from: SideSums): void => {
  for (const side of ["prompt", "completion"] as const) {
    into[side].tokens += from[side].tokens;
    into[side].loss += from[side].loss;
    into[side].correct += from[side].correct;
  }
};

/** The sums over several rows. */
export const totalSums = (rows: readonly SideSums[]): SideSums => {
  const total = emptySideSums();
  for (const row of rows) addSideSums(total, row);
  return total;
};

/** Mean loss and accuracy of a side; undefined where none of its tokens was measured. */
export const sideMeans = ({
  tokens,
  loss,
  correct,
}: SideSum): { loss: number; accuracy: number } | undefined =>
  tokens === 0 ? undefined : { loss: loss / tokens, accuracy: correct / tokens };
