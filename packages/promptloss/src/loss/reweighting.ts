// Factors on token losses that depend on the model's own predictions, without gradient. The weights of the data say
// what a token is worth; a reweighting says it again each time the model sees it.
import type { Tensor } from "@promptloss/torch";
import type { PackedTokens } from "../data/packing/index.ts";

export interface ReweightingContext {
  /** The pack's tokens; place t of the tensors is the prediction of token t + 1. */
  readonly pack: PackedTokens;
  /** Cross entropies in nats, [tokens], float32; 0 where the weight is 0 and where nothing is predicted. */
  readonly losses: Tensor;
  /** Normalized weights, [tokens], float32. */
  readonly weights: Tensor;
}

/** Gives a factor for each prediction, [tokens], finite and not negative. Called without recording a graph. */
export type Reweighting = (context: ReweightingContext) => Tensor;

/**
 * Dynamic fine-tuning (DFT, arXiv 2508.05629): each token's loss times its own probability, so that the gradient of
 * an unlikely token does not outweigh all others.
 */
export const dynamicFineTuning: Reweighting = ({ losses }) => losses.neg().exp();

/** Those that a recipe names. */
export const REWEIGHTINGS = { dft: dynamicFineTuning } as const satisfies Record<string, Reweighting>;

export type ReweightingName = keyof typeof REWEIGHTINGS;
