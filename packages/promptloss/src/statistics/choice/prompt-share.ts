// The share of a batch's token weight that a prompt loss weight gives to the prompt. An optimizer such as AdamW hardly
// sees the loss's overall factor, so this share is what a weight means from one normalization to another. Counts of
// tokens, not of nats: the losses themselves differ by data and model.
import { StatisticsError } from "../errors.ts";

/** How the prompt's share follows from the weight w and the ratio R of completion to prompt tokens. */
const kinds = {
  "weight-sum": "tokens",
  "active-count": "tokens",
  "all-mean": "tokens",
  "completion-count": "tokens",
  "segment-mean": "segments",
  "loss-share": "share",
} as const;

/** Names as in the recipe's `loss.normalization`. */
export type NormalizationName = keyof typeof kinds;

export const normalizationNames = Object.keys(kinds) as readonly NormalizationName[];

/**
 * The prompt's share in [0, 1]: w / (w + R) where all tokens have one divisor, w / (w + 1) where each segment has its
 * own mean, w itself for `loss-share`.
 * @param ratio completion tokens over prompt tokens
 */
export function promptShare(plw: number, ratio: number, normalization: NormalizationName): number {
  const kind = kindOf(normalization);
  if (kind === "share") return Math.min(1, plw);
  return plw / (plw + (kind === "tokens" ? ratio : 1));
}

/** The weight that gives the prompt a share in [0, 1): the inverse of `promptShare`. */
export function plwOfShare(share: number, ratio: number, normalization: NormalizationName): number {
  const kind = kindOf(normalization);
  if (kind === "share") return share;
  return (share / (1 - share)) * (kind === "tokens" ? ratio : 1);
}

/** Whether the share follows from the weight by another rule than in the normalizations that have one divisor. */
export function sharesDifferently(normalization: NormalizationName): boolean {
  return kindOf(normalization) !== "tokens";
}

function kindOf(normalization: NormalizationName): (typeof kinds)[NormalizationName] {
  const kind = Object.hasOwn(kinds, normalization) ? kinds[normalization] : undefined;
  if (kind !== undefined) return kind;
  throw new StatisticsError(`unknown normalization ${JSON.stringify(normalization)}`, {
    hint: `use ${normalizationNames.join(", ")}`,
  });
}
