// What a model makes of every token of some rows, weighted or not: the numbers that a rule asks of a reference model.
import type { DType } from "@promptloss/torch";
import { TOKEN_CLASSES } from "../../data/example.ts";
import { PackedTokens } from "../../data/packing/index.ts";
import { WeightedTokens } from "../../data/tokens/index.ts";
import type { PlaceStatistic } from "../../loss/index.ts";
import { type CausalLanguageModel, placeScores } from "../../models/index.ts";

const UNDIVIDED = TOKEN_CLASSES.map(() => 1);

/**
 * Of each row: entry t is of predicting token t, and entry 0 is 0. Computes no gradients.
 * @param rows in one pack
 */
export function rowStatistics(
  model: CausalLanguageModel,
  rows: readonly WeightedTokens[],
  of: PlaceStatistic,
  compute: DType | undefined,
): Float32Array[] {
  const pack = PackedTokens.of(rows.map(unweighted));
  const scores = placeScores(model, pack, (context) => context.statistic(of), {
    compute,
    factors: UNDIVIDED,
  });
  return rows.map((row, index) => {
    const statistics = new Float32Array(row.length);
    statistics.set(scores.subarray(pack.starts[index]!, pack.starts[index + 1]! - 1), 1);
    return statistics;
  });
}

function unweighted({ ids, classes, source, encoded }: WeightedTokens): WeightedTokens {
  return WeightedTokens.of({ ids, classes, weights: new Float32Array(ids.length).fill(1), source, encoded });
}
