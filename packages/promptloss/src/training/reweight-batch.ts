// Factors that depend on all tokens of a batch: one pass over it without gradients, then each micro-batch's own factors.
import { fromTypedArray } from "@promptloss/torch";
import { TOKEN_CLASSES } from "../data/example.ts";
import { PackedTokens } from "../data/packing/index.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { type BatchReweighting, isOfBatch, type Reweighting } from "../loss/index.ts";
import { type CausalLanguageModel, placeScores } from "../models/index.ts";
import type { AccumulateSettings } from "./accumulate.ts";

const UNDIVIDED = TOKEN_CLASSES.map(() => 1);

/**
 * The reweighting of each micro-batch, in order. With `ranks` all of them call it, each with its own.
 * @param groups the batch's micro-batches, idle ones among them
 */
export function reweightingsOf(
  model: CausalLanguageModel,
  groups: readonly (readonly WeightedTokens[])[],
  reweighting: Reweighting | BatchReweighting | undefined,
  { compute, ranks }: Pick<AccumulateSettings, "compute" | "ranks">,
): readonly (Reweighting | undefined)[] {
  if (reweighting === undefined || !isOfBatch(reweighting)) return groups.map(() => reweighting);
  const scored = groups.map((group) => {
    const pack = PackedTokens.of(group);
    const scores = placeScores(model, pack, reweighting.score, { compute, factors: UNDIVIDED });
    const { weights } = pack.shifted();
    return Array.from(scores, (score, place) => (weights[place]! > 0 ? score : undefined));
  });
  const own = scored.flat().filter((score) => score !== undefined);
  const factor = reweighting.factors(Float64Array.from(ranks === undefined ? own : gathered(own, ranks)));
  return scored.map((scores) => {
    const factors = Float32Array.from(scores, (score) => (score === undefined ? 0 : factor(score)));
    return ({ weights }) => fromTypedArray(factors, undefined, { device: weights.device });
  });
}

/** The numbers of all ranks, of which each has as many as it has. */
function gathered(own: readonly number[], ranks: NonNullable<AccumulateSettings["ranks"]>): number[] {
  const counts = ranks.gather([own.length]).flat();
  const most = Math.max(...counts);
  const padded = Array.from({ length: most }, (_, place) => own[place] ?? 0);
  return ranks.gather(padded).flatMap((numbers, rank) => numbers.slice(0, counts[rank]));
}
