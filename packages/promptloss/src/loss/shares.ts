// What part of a batch's loss each class of tokens has, as far as weights and the normalization decide it: as if the
// losses of all tokens were alike. Pure.
import { TOKEN_CLASSES } from "../data/example.ts";
import { PART_OF_CODE, type TokenPart } from "../data/token-parts.ts";
import type { LossFactors, LossTotals } from "./normalization.ts";

/**
 * Each class's share of the loss, by code: Σ f·w of its tokens over that of all. They add up to 1.
 * @param factors of the same totals
 * @returns all 0 where no token has weight
 */
export function classShares({ weight }: LossTotals, factors: LossFactors): number[] {
  const weighed = TOKEN_CLASSES.map((_, code) => factors[code]! * weight[code]!);
  const sum = weighed.reduce((total, each) => total + each, 0);
  return weighed.map((each) => (sum === 0 ? 0 : each / sum));
}

/** The shares of prompt, content and end, from those of the classes. */
export function partShares(classes: readonly number[]): Record<TokenPart, number> {
  const shares = { prompt: 0, content: 0, end: 0 };
  for (const [code, share] of classes.entries()) shares[PART_OF_CODE[code]!] += share;
  return shares;
}
