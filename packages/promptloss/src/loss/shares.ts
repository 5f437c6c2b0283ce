// What part of a batch's loss each class of tokens has: by what a model's losses are, or, as far as weights and the
// normalization decide it, as if the losses of all tokens were alike. Pure.
import { TOKEN_CLASSES } from "../data/example.ts";
import { PART_OF_CODE, type TokenPart } from "../data/token-parts.ts";
import type { LossFactors, LossTotals } from "./normalization.ts";
import type { RowLosses } from "./reference.ts";

/**
 * Each class's share of the loss, by code, were the losses of all tokens alike. They add up to 1.
 * @param factors of the same totals
 * @returns all 0 where no token has weight
 */
export function classShares({ weight }: LossTotals, factors: LossFactors): number[] {
  return sharesOfSums(weight, factors);
}

/**
 * Each class's share of the loss that a model has on rows, by code.
 * @param factors of the rows' totals
 * @returns all 0 where the loss is 0
 */
export function measuredShares(rows: Iterable<RowLosses>, factors: LossFactors): number[] {
  const sums = TOKEN_CLASSES.map(() => 0);
  for (const { row, losses } of rows)
    for (let i = row.firstPredicted; i < row.length; i++)
      sums[row.classes[i]!]! += row.weights[i]! * losses[i]!;
  return sharesOfSums(sums, factors);
}

/** @param sums Σ w or Σ w·ℓ of each class, by code */
function sharesOfSums(sums: readonly number[], factors: LossFactors): number[] {
  const divided = TOKEN_CLASSES.map((_, code) => factors[code]! * sums[code]!);
  const whole = divided.reduce((total, each) => total + each, 0);
  return divided.map((each) => (whole === 0 ? 0 : each / whole));
}

/** The shares of prompt, content and end, from those of the classes. */
export function partShares(classes: readonly number[]): Record<TokenPart, number> {
  const shares = { prompt: 0, content: 0, end: 0 };
  for (const [code, share] of classes.entries()) shares[PART_OF_CODE[code]!] += share;
  return shares;
}
