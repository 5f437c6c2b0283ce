// The rules as their formulas say, in float64 and by plain loops over a vocabulary's logits: what the rules on tensors are
// held to.
import { type ReweightingName, type ReweightingOptions, SAME_SCORE } from "./reweighting-rules.ts";

/** A model's prediction of a token: logits over the vocabulary, and the token's id. */
export interface ReferencePrediction {
  readonly logits: ArrayLike<number>;
  readonly target: number;
}

export function referenceProbabilities(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** A rule's factors of all tokens of a batch. NaN where the formula is not defined. */
export type ReferenceRule = (
  own: readonly ReferencePrediction[],
  reference: readonly ReferencePrediction[],
  options: ReweightingOptions,
) => number[];

function probabilityOf({ logits, target }: ReferencePrediction): number {
  return referenceProbabilities(logits)[target]!;
}

function logit(p: number): number {
  return Math.log(p / (1 - p));
}

/** Of a rule that looks at the model's own predictions; with a reference model's it takes those instead. */
function ofEach(
  factor: (prediction: ReferencePrediction, options: ReweightingOptions) => number,
): ReferenceRule {
  return (own, _reference, options) => own.map((prediction) => factor(prediction, options));
}

export const REWEIGHTING_REFERENCES: Readonly<Record<ReweightingName, ReferenceRule>> = {
  dft: ofEach(probabilityOf),
  infosft: ofEach((prediction, { confidence }) => {
    const p = probabilityOf(prediction);
    return p === 1 ? 0 : p * Math.max(0, 1 - logit(p) / logit(confidence));
  }),
  eaft: ofEach(({ logits }, { topTokens, exponent }) => {
    const top = referenceProbabilities(logits)
      .sort((a, b) => b - a)
      .slice(0, topTokens);
    const total = top.reduce((sum, p) => sum + p, 0);
    const entropy = top.reduce((sum, p) => sum - (p === 0 ? 0 : (p / total) * Math.log(p / total)), 0);
    return (entropy / Math.log(topTokens)) ** exponent;
  }),
  profit: ofEach((prediction, { threshold }) => (probabilityOf(prediction) >= threshold ? 1 : 0)),
  "prift-prob": (_own, reference) => reference.map(probabilityOf),
  "prift-mass": (_own, reference, { threshold }) =>
    reference.map(({ logits, target }) => {
      const all = referenceProbabilities(logits);
      const below = all.filter((p) => p < all[target]!).reduce((sum, p) => sum + p, 0);
      return below + all[target]! >= threshold ? 1 : 0;
    }),
  "rho-1": (own, reference, { ratio }) => {
    const excess = own.map(
      (each, i) => Math.log(probabilityOf(reference[i]!)) - Math.log(probabilityOf(each)),
    );
    const count = Math.max(1, Math.round(ratio * excess.length));
    const least = [...excess].sort((a, b) => b - a)[count - 1]! - SAME_SCORE;
    const kept = excess.filter((score) => score >= least).length;
    return excess.map((score) => (score >= least ? excess.length / kept : 0));
  },
};
