// What a model makes of each row, unweighted: the loss of each part, with its tokens.
import { type DType, noGrad, scope } from "@promptloss/torch";
import { type RowSource, TOKEN_CLASSES } from "../../data/example.ts";
import { PackedTokens } from "../../data/packing/index.ts";
import { WeightedTokens } from "../../data/tokens/index.ts";
import type { PartSums } from "../../loss/part-sums.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { type PlacePredictions, packLoss } from "./pack-loss.ts";

export interface RowLoss {
  readonly source: RowSource;
  readonly sums: PartSums;
  /** Of every token but the first, which nothing predicts: entry t is of token t + 1. */
  readonly predictions: PlacePredictions;
  /** With the row's weights. */
  readonly tokens: WeightedTokens;
}

const UNDIVIDED = TOKEN_CLASSES.map(() => 1);

/** Rows in one pack, in order. Computes no gradients. */
export function rowLosses(
  model: CausalLanguageModel,
  rows: readonly WeightedTokens[],
  { compute }: { readonly compute?: DType | undefined } = {},
): RowLoss[] {
  return noGrad(() =>
    scope(() => {
      const pack = PackedTokens.of(rows.map(unweighted));
      const measured = packLoss(model, pack, { factors: UNDIVIDED, compute });
      const { losses, correct } = measured.predictions;
      return rows.map((tokens, index) => {
        const [start, end] = [pack.starts[index]!, pack.starts[index + 1]! - 1];
        const predictions = { losses: losses.slice(start, end), correct: correct.slice(start, end) };
        return { source: tokens.source, sums: measured.rows[index]!, predictions, tokens };
      });
    }),
  );
}

function unweighted({ ids, classes, source, encoded }: WeightedTokens): WeightedTokens {
  return WeightedTokens.of({ ids, classes, weights: new Float32Array(ids.length).fill(1), source, encoded });
}
