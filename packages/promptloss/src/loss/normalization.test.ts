import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyRows } from "../../test/weighted-rows.ts";
import { TOKEN_CLASSES } from "../data/example.ts";
import { WeightedTokens } from "../data/tokens/index.ts";
import {
  addLossTotals,
  type LossFactors,
  lossFactors,
  lossTotals,
  NORMALIZATIONS,
  numbersOfTotals,
  type OwnDenominator,
  totalsOfNumbers,
} from "./normalization.ts";
import { referenceLoss } from "./reference.ts";

/** Token losses that are all different. */
function lossesOf(rows: readonly WeightedTokens[]) {
  return rows.map((row, r) => ({
    row,
    losses: Float64Array.from(row.ids, (_, i) => 0.1 + Math.sin(r * 31 + i) ** 2),
  }));
}

function byFactors(batch: ReturnType<typeof lossesOf>, factors: LossFactors): number {
  return batch.reduce((sum, { row, losses }) => {
    let total = 0;
    for (let i = 1; i < row.length; i++) total += row.weights[i]! * losses[i]! * factors[row.classes[i]!]!;
    return sum + total;
  }, 0);
}

/** No class, some, or all. */
const anyOwn: fc.Arbitrary<OwnDenominator | undefined> = fc.oneof(
  fc.constantFrom(undefined, "all" as const),
  fc.subarray([...TOKEN_CLASSES], { minLength: 1 }),
);

describe.each(NORMALIZATIONS)("%s", (normalization) => {
  test("factors give what the formula says", () => {
    fc.assert(
      fc.property(anyRows(), fc.constantFrom(0, 0.1, 0.5, 1), anyOwn, (rows, promptShare, ownDenominator) => {
        const settings = { normalization, promptShare, ownDenominator };
        const batch = lossesOf(rows);
        const expected = referenceLoss(batch, settings);
        const found = byFactors(batch, lossFactors(lossTotals(rows), settings));
        // Sums of some dozens of float64 numbers around 1, in two orders.
        expect(found).toBeCloseTo(expected, 10);
      }),
    );
  });

  test("factors are the same wherever a batch is cut, and of totals that were told as numbers", () => {
    fc.assert(
      fc.property(anyRows(), fc.nat(5), anyOwn, (rows, cut, ownDenominator) => {
        const settings = { normalization, promptShare: 0.3, ownDenominator };
        const parts = [rows.slice(0, cut), rows.slice(cut)].map(lossTotals);
        const told = parts.map((part) => totalsOfNumbers([...numbersOfTotals(part), 7, 8]));
        expect(told).toEqual(parts);
        // Weights of the rows are eighths: their sums are exact.
        expect(lossFactors(addLossTotals(told), settings)).toEqual(lossFactors(lossTotals(rows), settings));
      }),
    );
  });

  test("a batch without weight, or without tokens to predict, is refused or 0", () => {
    const silent = WeightedTokens.of({
      ids: Int32Array.of(1),
      classes: Uint8Array.of(4),
      weights: Float32Array.of(1),
      source: { file: "a", row: 1 },
    });
    expect(() => lossFactors(lossTotals([silent]), { normalization, promptShare: 0.5 })).toThrow(
      /not defined: .* divides by 0/,
    );
  });
});

// Two rows by hand: prompt losses 1, 2 and 3, completion losses 4, 5 and 6; PLW 0.5.
function row(classes: number[], weights: number[]): WeightedTokens {
  return WeightedTokens.of({
    ids: Int32Array.from(classes, (_, i) => i),
    classes: Uint8Array.from(classes),
    weights: Float32Array.from(weights),
    source: { file: "a", row: 1 },
  });
}
const batch = [
  { row: row([1, 1, 1, 4, 5], [0.5, 0.5, 0.5, 1, 1]), losses: [0, 1, 2, 4, 5] },
  { row: row([1, 3, 4], [0.5, 0.5, 1]), losses: [0, 3, 6] },
];

test.each([
  ["weight-sum", (0.5 * 6 + 15) / 4.5],
  ["active-count", (0.5 * 6 + 15) / 6],
  // Two rows of four positions each, padding included.
  ["all-mean", (0.5 * 6 + 15) / 8],
  ["completion-count", (0.5 * 6 + 15) / 3],
  ["segment-mean", 0.5 * 2 + 5],
  ["loss-share", 0.5 * 2 + 0.5 * 5],
] as const)("%s by hand", (normalization, expected) => {
  const settings = { normalization, promptShare: 0.5 };
  expect(referenceLoss(batch, settings)).toBeCloseTo(expected, 12);
  const factors = lossFactors(lossTotals(batch.map((each) => each.row)), settings);
  expect(byFactors(batch as never, factors)).toBeCloseTo(expected, 12);
});

// Prompt losses 1, 2 of instruction and 3 of template; completion losses 4, 5 and 6.
test.each([
  ["all" as const, "weight-sum", 0.5 * (3 / 2) + 0.5 * 3 + 10 / 2 + 5],
  [["template"] as const, "weight-sum", 0.5 * 3 + (0.5 * 3 + 15) / 4],
  [["end", "reasoning"] as const, "completion-count", 5 + (0.5 * 6 + 10) / 2],
  [["instruction"] as const, "segment-mean", 0.5 * (3 / 2) + (0.5 * 3) / 1 + 15 / 3],
] as const)("own denominators of %s beside %s by hand", (ownDenominator, normalization, expected) => {
  const settings = { normalization, ownDenominator };
  const rows = [
    { row: row([1, 1, 1, 4, 5], [0.5, 0.5, 0.5, 1, 1]), losses: [0, 1, 2, 4, 5] },
    { row: row([1, 3, 4], [0.5, 0.5, 1]), losses: [0, 3, 6] },
  ];
  expect(referenceLoss(rows, settings)).toBeCloseTo(expected, 12);
  const factors = lossFactors(lossTotals(rows.map((each) => each.row)), settings);
  expect(byFactors(rows as never, factors)).toBeCloseTo(expected, 12);
});

test("a class of weight 0 with a denominator of its own defines no loss, and one with weight does without the others", () => {
  const silent = lossTotals([row([1, 3, 1], [0, 0, 0])]);
  const settings = { normalization: "weight-sum", ownDenominator: ["template"] } as const;
  expect(() => lossFactors(silent, settings)).toThrow("not defined");
  const spoken = lossTotals([row([1, 3, 1], [0, 0.5, 0])]);
  const factors = lossFactors(spoken, settings);
  expect([factors[1], factors[3]]).toEqual([0, 1]);
});

test("a share outside [0, 1] is refused", () => {
  const totals = lossTotals(batch.map((each) => each.row));
  expect(() => lossFactors(totals, { normalization: "loss-share", promptShare: 1.5 })).toThrow(
    "lies in [0, 1]",
  );
});
