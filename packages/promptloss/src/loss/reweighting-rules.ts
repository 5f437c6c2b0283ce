// The rules that a recipe names, as data: where each is from, whose predictions it looks at, which options it takes, and
// the factor that it gives a token.
import type { Tensor } from "@promptloss/torch";

/** A number of a model's prediction of one token. */
export type PlaceStatistic =
  /** The token's cross entropy ℓ in nats; its probability is e^−ℓ. */
  | { readonly kind: "loss" }
  /** The entropy in nats of the likeliest tokens, their probabilities divided by their sum: 0 to ln `tokens`. */
  | { readonly kind: "top-entropy"; readonly tokens: number }
  /** The probability of the token and of all that are less likely: 0 to 1. */
  | { readonly kind: "tail-mass" };

/** What rules leave open. */
export interface ReweightingOptions {
  /** The probability from which on a token counts as known: above 0.5, below 1. */
  readonly confidence: number;
  /** How many of the likeliest tokens the entropy is of; all of a smaller vocabulary. */
  readonly topTokens: number;
  readonly exponent: number;
  /** The least probability, or tail mass, of a token that is trained. */
  readonly threshold: number;
  /** The share of a batch's tokens that are trained. */
  readonly ratio: number;
}

interface RuleFacts {
  /** The paper, and what of it was followed. */
  readonly source: string;
  /** Whose predictions: the model's in training, a reference model's, either as the recipe says, or both. */
  readonly predictions: "model" | "reference" | "either" | "both";
  /** The options that the rule takes, with their values where left out, which are those of its source. */
  readonly options: Readonly<Partial<ReweightingOptions>>;
  statistic(options: ReweightingOptions): PlaceStatistic;
}

/** Gives each token a factor of its own. */
export interface FactorRule extends RuleFacts {
  readonly predictions: "model" | "reference" | "either";
  /** @param statistic [tokens] @returns factors, [tokens], finite and not negative */
  factor(statistic: Tensor, options: ReweightingOptions): Tensor;
}

/** Trains the tokens of a batch that have the highest scores. */
export interface SelectionRule extends RuleFacts {
  readonly predictions: "both";
  /** @param own the model's in training, [tokens] @param reference a reference model's, [tokens] @returns scores, [tokens] */
  score(own: Tensor, reference: Tensor): Tensor;
}

export type ReweightingRule = FactorRule | SelectionRule;

/** Rounding may take a cross entropy below 0. */
function probability(losses: Tensor): Tensor {
  return losses.clamp({ min: 0 }).neg().exp();
}

function loss(): PlaceStatistic {
  return { kind: "loss" };
}

/** Nats by which scores that rounding alone tells apart may differ: a selection takes them as equal. */
export const SAME_SCORE = 1e-5;

/** Each has a twin in float64 in reweighting-reference.ts. p is a token's probability, ℓ its cross entropy. */
export const REWEIGHTING_RULES = {
  dft: {
    source: "dynamic fine-tuning, arXiv 2508.05629: p",
    predictions: "model",
    options: {},
    statistic: loss,
    factor: probability,
  },
  infosft: {
    source:
      "InfoSFT, arXiv 2605.14967, normalized as its authors' program does: p · max(0, 1 − logit p / logit confidence)",
    predictions: "either",
    options: { confidence: 0.93 },
    statistic: loss,
    factor: (losses, { confidence }) => {
      const p = probability(losses);
      // For p = 1, ln(1 − p) is −∞, the logit +∞ and the maximum 0.
      const logit = losses.clamp({ min: 0 }).neg().sub(p.neg().log1p());
      const known = Math.log(confidence / (1 - confidence));
      return logit.div(-known).add(1).clamp({ min: 0 }).mul(p);
    },
  },
  eaft: {
    source:
      "entropy-adaptive fine-tuning, arXiv 2601.02151: (H / ln K)^exponent, where H is the entropy of the K = topTokens likeliest tokens; its authors' program divides by 3.0, which ln 20 = 2.996 rounds to",
    predictions: "either",
    options: { topTokens: 20, exponent: 1 },
    statistic: ({ topTokens }) => ({ kind: "top-entropy", tokens: topTokens }),
    factor: (entropies, { topTokens, exponent }) =>
      entropies.clamp({ min: 0 }).div(Math.log(topTokens)).pow(exponent),
  },
  profit: {
    source: "ProFit, arXiv 2601.09195, in the direction that it recommends: 1 where p ≥ threshold, else 0",
    predictions: "either",
    options: { threshold: 0.1 },
    statistic: loss,
    factor: (losses, { threshold }) => probability(losses).ge(threshold).to({ dtype: losses.dtype }),
  },
  "prift-prob": {
    source: "PriFT-prob, arXiv 2606.09396: p of the reference model",
    predictions: "reference",
    options: {},
    statistic: loss,
    factor: probability,
  },
  "prift-mass": {
    source:
      "PriFT-mass, arXiv 2606.09396, as its authors' program has it: 1 where p and the probabilities below it, of the reference model, sum to threshold or more, else 0",
    predictions: "reference",
    options: { threshold: 0.5 },
    statistic: () => ({ kind: "tail-mass" }),
    factor: (masses, { threshold }) => masses.ge(threshold).to({ dtype: masses.dtype }),
  },
  "rho-1": {
    source:
      "selective language modeling, Rho-1, arXiv 2404.07965: of a batch's tokens those of the highest excess loss, ℓ − ℓ of the reference model, a share of ratio, each by 1 / ratio",
    predictions: "both",
    options: { ratio: 0.6 },
    statistic: loss,
    score: (own, reference) => own.sub(reference),
  },
} as const satisfies Readonly<Record<string, ReweightingRule>>;

export type ReweightingName = keyof typeof REWEIGHTING_RULES;

export const REWEIGHTING_NAMES = Object.keys(REWEIGHTING_RULES) as [ReweightingName, ...ReweightingName[]];

export function reweightingRule(name: ReweightingName): ReweightingRule {
  return REWEIGHTING_RULES[name];
}

/** A rule with what it leaves open. */
export interface ReweightingSettings {
  readonly rule: ReweightingName;
  /** Those that are left out are as in the rule's source. */
  readonly options?: Readonly<Partial<ReweightingOptions>> | undefined;
  /** Whose predictions a rule looks at that takes either; the model's in training where left out. */
  readonly predictions?: "model" | "reference" | undefined;
}

/** Whether the rule needs a reference model. */
export function needsReference({ rule, predictions = "model" }: ReweightingSettings): boolean {
  const of = reweightingRule(rule).predictions;
  return of === "reference" || of === "both" || (of === "either" && predictions === "reference");
}

const NONE: ReweightingOptions = {
  confidence: Number.NaN,
  topTokens: Number.NaN,
  exponent: Number.NaN,
  threshold: Number.NaN,
  ratio: Number.NaN,
};

/** All options; those that the rule does not take are NaN, which nothing reads. */
export function settledOptions({ rule, options = {} }: ReweightingSettings): ReweightingOptions {
  return { ...NONE, ...reweightingRule(rule).options, ...options };
}
