// What the sum of weighted token losses is divided by. Pure: counts of a batch in, one factor a side out.
//
// With token losses ℓ and weights w every normalization here is Σ f·w·ℓ, where the factor f depends only on whether
// the token belongs to the prompt or to the completion. So one reduction serves all six, and a batch may be cut into
// micro-batches anywhere.
import { TOKEN_CLASSES } from "../data/example.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { LossError } from "./errors.ts";

export const NORMALIZATIONS = [
  /** Σ w ℓ / Σ w */
  "weight-sum",
  /** Σ w ℓ / #{w > 0} (WIT, arXiv 2507.07817) */
  "active-count",
  /** Σ w ℓ / #positions, as if rows were padded to the longest */
  "all-mean",
  /** Σ w ℓ / #completion tokens (ms-swift) */
  "completion-count",
  /** Σ_prompt w ℓ / #prompt tokens + Σ_completion w ℓ / #completion tokens (Apertus) */
  "segment-mean",
  /** The prompt's part is the share P = promptLossWeight of all weight (GoLLIE): P · mean_prompt + (1 − P) · mean_completion, each mean weighted by w */
  "loss-share",
] as const;

export type Normalization = (typeof NORMALIZATIONS)[number];

/** The two sides of a row: the completion is `completion` and `end`, all else is prompt. */
export interface BySide<T> {
  readonly prompt: T;
  readonly completion: T;
}

const COMPLETION_CODES = new Set([TOKEN_CLASSES.indexOf("completion"), TOKEN_CLASSES.indexOf("end")]);

/** 1 where a token's class is on the completion's side, by code. */
export const IS_COMPLETION = Uint8Array.from(TOKEN_CLASSES, (_, code) =>
  COMPLETION_CODES.has(code) ? 1 : 0,
);

/** What the normalizations divide by, over the rows of a batch. A row's first token predicts nothing and counts nowhere. */
export interface LossTotals {
  /** Predicted tokens. */
  readonly tokens: BySide<number>;
  /** Σ w. */
  readonly weight: BySide<number>;
  /** #{w > 0}. */
  readonly active: number;
  readonly rows: number;
  /** Tokens of the longest row; 1 where there is none. */
  readonly longest: number;
}

/** @param rows the rows of the whole batch that a loss is reduced over */
export function lossTotals(rows: Iterable<WeightedTokens>): LossTotals {
  const tokens = [0, 0] as [number, number];
  const weight = [0, 0] as [number, number];
  let active = 0;
  let count = 0;
  let longest = 1;
  for (const row of rows) {
    count++;
    longest = Math.max(longest, row.length);
    for (let i = 1; i < row.length; i++) {
      const side = IS_COMPLETION[row.classes[i]!]! as 0 | 1;
      const w = row.weights[i]!;
      tokens[side]++;
      weight[side] += w;
      if (w > 0) active++;
    }
  }
  return {
    tokens: { prompt: tokens[0], completion: tokens[1] },
    weight: { prompt: weight[0], completion: weight[1] },
    active,
    rows: count,
    longest,
  };
}

/** The totals of several parts of a batch together. */
export function addLossTotals(parts: Iterable<LossTotals>): LossTotals {
  const add = (a: BySide<number>, b: BySide<number>): BySide<number> => ({
    prompt: a.prompt + b.prompt,
    completion: a.completion + b.completion,
  });
  return [...parts].reduce(
    (sum, part) => ({
      tokens: add(sum.tokens, part.tokens),
      weight: add(sum.weight, part.weight),
      active: sum.active + part.active,
      rows: sum.rows + part.rows,
      longest: Math.max(sum.longest, part.longest),
    }),
    lossTotals([]),
  );
}

export interface NormalizationSettings {
  readonly normalization: Normalization;
  /** Of `loss-share`, the prompt's share P in [0, 1]; the other normalizations don't read it. */
  readonly promptShare?: number;
}

/**
 * The factor of w·ℓ on each side. 0 for a side that is empty.
 * @throws {LossError} where the divisor is 0, so that the loss is not defined, and for a share outside [0, 1]
 */
export function lossFactors(totals: LossTotals, settings: NormalizationSettings): BySide<number> {
  const { tokens, weight, active, rows, longest } = totals;
  const both = (divisor: number): BySide<number> => {
    if (!(divisor > 0)) throw undefinedLoss(settings.normalization);
    return { prompt: 1 / divisor, completion: 1 / divisor };
  };
  const inverse = (divisor: number): number => (divisor > 0 ? 1 / divisor : 0);
  switch (settings.normalization) {
    case "weight-sum":
      return both(weight.prompt + weight.completion);
    case "active-count":
      return both(active);
    case "all-mean":
      // The positions that padding would make.
      return both(rows * (longest - 1));
    case "completion-count":
      return both(tokens.completion);
    case "segment-mean":
      if (tokens.prompt + tokens.completion === 0) throw undefinedLoss("segment-mean");
      return { prompt: inverse(tokens.prompt), completion: inverse(tokens.completion) };
    case "loss-share": {
      const { promptShare = 0 } = settings;
      if (!(promptShare >= 0 && promptShare <= 1))
        throw new LossError(
          `loss-share: promptLossWeight is the prompt's share and lies in [0, 1], got ${promptShare}`,
        );
      if (weight.prompt + weight.completion === 0) throw undefinedLoss("loss-share");
      return {
        prompt: promptShare * inverse(weight.prompt),
        completion: (1 - promptShare) * inverse(weight.completion),
      };
    }
  }
}

function undefinedLoss(name: Normalization): LossError {
  return new LossError(`the loss of a batch is not defined: ${name} divides by 0`, {
    hint: "a batch needs a token that is trained on; look at the weights with promptloss preview",
  });
}
