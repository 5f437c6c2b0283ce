import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyRows } from "../../test/weighted-rows.ts";
import { WeightedTokens } from "../data/tokens/index.ts";
import { IS_COMPLETION, lossFactors, lossTotals, NORMALIZATIONS } from "./normalization.ts";
import { referenceLoss } from "./reference.ts";

/** Token losses that are all different. */
function lossesOf(rows: readonly WeightedTokens[]) {
  return rows.map((row, r) => ({
    row,
    losses: Float64Array.from(row.ids, (_, i) => 0.1 + Math.sin(r * 31 + i) ** 2),
  }));
}

function byFactors(
  batch: ReturnType<typeof lossesOf>,
  { prompt, completion }: { prompt: number; completion: number },
): number {
  return batch.reduce((sum, { row, losses }) => {
    let total = 0;
    for (let i = 1; i < row.length; i++)
      total += row.weights[i]! * losses[i]! * (IS_COMPLETION[row.classes[i]!] ? completion : prompt);
    return sum + total;
  }, 0);
}

describe.each(NORMALIZATIONS)("%s", (normalization) => {
  test("factors give what the formula says", () => {
    fc.assert(
      fc.property(anyRows(), fc.constantFrom(0, 0.1, 0.5, 1), (rows, promptShare) => {
        const settings = { normalization, promptShare };
        const batch = lossesOf(rows);
        const expected = referenceLoss(batch, settings);
        const found = byFactors(batch, lossFactors(lossTotals(rows), settings));
        // Sums of some dozens of float64 numbers around 1, in two orders.
        expect(found).toBeCloseTo(expected, 10);
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

test("a share outside [0, 1] is refused", () => {
  const totals = lossTotals(batch.map((each) => each.row));
  expect(() => lossFactors(totals, { normalization: "loss-share", promptShare: 1.5 })).toThrow(
    "lies in [0, 1]",
  );
});
