// Factors on token losses that depend on models' predictions, without gradient. The weights of the data say what a token
// is worth; a reweighting says it again each time the model sees it.
import type { Tensor } from "@promptloss/torch";
import type { PackedTokens } from "../data/packing/index.ts";
import {
  needsReference,
  type PlaceStatistic,
  type ReweightingSettings,
  reweightingRule,
  SAME_SCORE,
  settledOptions,
} from "./reweighting-rules.ts";

export interface ReweightingContext {
  /** The pack's tokens; place t of the tensors is the prediction of token t + 1. */
  readonly pack: PackedTokens;
  /** Cross entropies in nats, [tokens], float32; 0 where the weight is 0 and where nothing is predicted. */
  readonly losses: Tensor;
  /** Normalized weights, [tokens], float32. */
  readonly weights: Tensor;
  /** Of the model in training, [tokens], float32; 0 where the weight is 0 and where nothing is predicted. */
  statistic(of: PlaceStatistic): Tensor;
  /**
   * The statistic of a reference model that the pack's rows carry, [tokens], float32; 0 where nothing is predicted.
   * @throws {LossError} where they carry none
   */
  reference(): Tensor;
}

/** Gives a factor for each prediction, [tokens], finite and not negative. Called without recording a graph. */
export type Reweighting = (context: ReweightingContext) => Tensor;

/** Factors that depend on the other tokens of a batch: its predictions are looked at before the first backward pass. */
export interface BatchReweighting {
  /** A number of each prediction, [tokens]. Called without recording a graph. */
  score(context: ReweightingContext): Tensor;
  /** @param scores of all tokens of a batch that have a weight above 0 @returns the factor of a token by its score */
  factors(scores: Float64Array): (score: number) => number;
}

export function isOfBatch(reweighting: Reweighting | BatchReweighting): reweighting is BatchReweighting {
  return typeof reweighting !== "function";
}

/** A rule with its settings, as the loss takes it. */
export function reweightingOf(settings: ReweightingSettings): Reweighting | BatchReweighting {
  const rule = reweightingRule(settings.rule);
  const options = settledOptions(settings);
  const statistic = rule.statistic(options);
  if (rule.predictions === "both")
    return {
      score: (context) => rule.score(context.statistic(statistic), context.reference()),
      factors: (scores) => highest(scores, options.ratio),
    };
  const isReference = needsReference(settings);
  return (context) => rule.factor(isReference ? context.reference() : context.statistic(statistic), options);
}

/**
 * Keeps a share of the highest scores, at least one, and all that are equal to the lowest of these. The factor of what is
 * kept makes up for what is not: factors have a mean of 1.
 */
function highest(scores: Float64Array, ratio: number): (score: number) => number {
  if (scores.length === 0) return () => 0;
  const count = Math.max(1, Math.round(ratio * scores.length));
  const least = scores.toSorted().at(-count)! - SAME_SCORE;
  const kept = scores.reduce((sum, score) => sum + (score >= least ? 1 : 0), 0);
  return (score) => (score >= least ? scores.length / kept : 0);
}
