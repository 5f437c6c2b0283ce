import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyRows } from "../../test/weighted-rows.ts";
import { TOKEN_CLASSES } from "../data/example.ts";
import { partOfClass } from "../data/token-parts.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import {
  lossFactors,
  lossTotals,
  NORMALIZATIONS,
  normalizationOf,
  type OwnDenominator,
} from "./normalization.ts";
import { referenceLoss } from "./reference.ts";
import { classShares, measuredShares, partShares } from "./shares.ts";

/** The rows with a loss of 1 for the tokens of some classes and 0 for all others. */
function lossesOf(rows: readonly WeightedTokens[], counts: (code: number) => boolean) {
  return rows.map((row) => ({
    row,
    losses: Float64Array.from(row.classes, (code) => (counts(code) ? 1 : 0)),
  }));
}

const anyOwn: fc.Arbitrary<OwnDenominator | undefined> = fc.oneof(
  fc.constantFrom(undefined, "all" as const),
  fc.subarray([...TOKEN_CLASSES], { minLength: 1 }),
);

describe.each(NORMALIZATIONS)("%s", (normalization) => {
  test("a class's share is that of the reference loss where all tokens' losses are alike", () => {
    fc.assert(
      fc.property(anyRows(), fc.constantFrom(0, 0.1, 0.5, 1), anyOwn, (rows, plw, ownDenominator) => {
        const settings = normalizationOf({ normalization, ownDenominator }, plw);
        const shares = classShares(lossTotals(rows), lossFactors(lossTotals(rows), settings));
        const formula = { normalization, ownDenominator, promptShare: plw };
        const whole = referenceLoss(
          lossesOf(rows, () => true),
          formula,
        );
        // A share of 1 of a batch without prompt tokens: loss-share then gives all its loss to nobody.
        if (whole === 0) return void expect(shares).toEqual(TOKEN_CLASSES.map(() => 0));
        const of = (counts: (code: number) => boolean): number =>
          referenceLoss(lossesOf(rows, counts), formula) / whole;
        // Sums of some dozens of float64 numbers around 1, in two orders.
        for (const [code, share] of shares.entries())
          expect(share).toBeCloseTo(
            of((each) => each === code),
            10,
          );
        const parts = partShares(shares);
        for (const part of ["prompt", "content", "end"] as const)
          expect(parts[part]).toBeCloseTo(
            of((code) => partOfClass(TOKEN_CLASSES[code]!) === part),
            10,
          );
      }),
    );
  });

  test("a class's measured share is what the reference loss has less without its losses", () => {
    fc.assert(
      fc.property(anyRows(), fc.constantFrom(0, 0.1, 0.5), anyOwn, (rows, plw, ownDenominator) => {
        const losses = rows.map(({ ids }, r) =>
          Float64Array.from(ids, (_, i) => 0.1 + Math.sin(r * 31 + i) ** 2),
        );
        const formula = { normalization, ownDenominator, promptShare: plw };
        const factors = lossFactors(lossTotals(rows), formula);
        const shares = measuredShares(
          rows.map((row, r) => ({ row, losses: losses[r]! })),
          factors,
        );
        const reference = (counts: (code: number) => boolean): number =>
          referenceLoss(
            rows.map((row, r) => ({
              row,
              losses: Float64Array.from(row.classes, (code, i) => (counts(code) ? losses[r]![i]! : 0)),
            })),
            formula,
          );
        const whole = reference(() => true);
        for (const [code, share] of shares.entries())
          expect(share).toBeCloseTo(whole === 0 ? 0 : reference((each) => each === code) / whole, 10);
      }),
    );
  });
});
