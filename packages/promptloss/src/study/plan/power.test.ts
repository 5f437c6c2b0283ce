import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomSource } from "../../statistics/random.ts";
import { detectable, itemsFactorFor, powerOf, residualDf, seedsFor, usualPower, verdictDf } from "./power.ts";

/** The share of simulated studies whose pooled t-test finds the difference between the first two levels. */
function simulated(
  levels: number,
  perLevel: number,
  difference: number,
  alpha: number,
  studies: number,
): number {
  const random = randomSource(11);
  const df = levels * perLevel - levels;
  const critical = tQuantile(1 - alpha / 2, df);
  let found = 0;
  for (let s = 0; s < studies; s++) {
    const cells = Array.from({ length: levels }, (_, level) =>
      Array.from({ length: perLevel }, () => (level === 0 ? difference : 0) + random.normal()),
    );
    const means = cells.map((values) => values.reduce((a, b) => a + b, 0) / perLevel);
    const squares = cells.flatMap((values, level) => values.map((value) => (value - means[level]!) ** 2));
    const sd = Math.sqrt(squares.reduce((a, b) => a + b, 0) / df);
    if (Math.abs(means[0]! - means[1]!) > critical * sd * Math.sqrt(2 / perLevel)) found++;
  }
  return found / studies;
}

describe("power", () => {
  test("is that of simulated studies", () => {
    for (const [levels, perLevel, alpha] of [
      [3, 2, 0.05],
      [5, 2, 0.05],
      [10, 2, 0.025],
      [4, 5, 0.05],
    ] as const) {
      const design = { levels, perLevel, intercepts: 0 };
      const difference = detectable(design, { run: 1, item: 0 }, { alpha, power: 0.8 })!;
      // 3,000 studies: a standard error of 0.0073.
      expect(Math.abs(simulated(levels, perLevel, difference, alpha, 3000) - 0.8)).toBeLessThan(0.025);
      expect(Math.abs(simulated(levels, perLevel, 0, alpha, 3000) - alpha)).toBeLessThan(0.02);
    }
  });

  test("of no difference is the test's level; with many degrees of freedom it is the normal's", () => {
    for (const df of [1, 3, 10, 1000]) expect(powerOf(0, df, 0.05)).toBeCloseTo(0.05, 2);
    // Cohen's textbook figure: 2.80 standard errors for 80 % at 5 %.
    expect(powerOf(2.8016, 1e5, 0.05)).toBeCloseTo(0.8, 3);
  });

  test("rises with the difference and with the degrees of freedom", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 6, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (standardized, df) => {
          expect(powerOf(standardized + 0.1, df, 0.05)).toBeGreaterThan(powerOf(standardized, df, 0.05));
          expect(powerOf(standardized, df + 1, 0.05)).toBeGreaterThan(powerOf(standardized, df, 0.05) - 1e-6);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("what a design can show", () => {
  const noise = { run: 0.01, item: 0.02 };

  test("nothing without residual degrees of freedom", () => {
    expect(residualDf({ levels: 10, perLevel: 1, intercepts: 0 })).toBe(0);
    expect(detectable({ levels: 10, perLevel: 1, intercepts: 0 }, noise)).toBeUndefined();
  });

  test("a verdict counts each seed as a block and falls back to what a quadratic leaves, as results do", () => {
    const df = (levels: number, perLevel: number) => verdictDf({ levels, perLevel });
    expect([df(3, 2), df(5, 1), df(5, 2), df(10, 1), df(10, 2), df(2, 1)]).toEqual([2, 2, 6, 7, 9, 0]);
  });

  test("seeds for a difference are the fewest that find it", () => {
    const seeds = seedsFor(0.02, { levels: 4, others: 1, intercepts: 0 }, noise)!;
    const at = (perLevel: number) => detectable({ levels: 4, perLevel, intercepts: 0 }, noise)!;
    expect(at(seeds)).toBeLessThanOrEqual(0.02);
    expect(at(seeds - 1)).toBeGreaterThan(0.02);
    expect(seedsFor(1e-6, { levels: 4, others: 1, intercepts: 0 }, noise)).toBeUndefined();
    // A verdict needs six residual degrees of freedom, however large the difference.
    expect(seedsFor(100, { levels: 2, others: 1, intercepts: 0 }, noise)).toBe(7);
  });

  test("items for a difference: as many times more as it takes, or none where runs are too noisy", () => {
    const design = { levels: 4, perLevel: 4, intercepts: 0 };
    const factor = itemsFactorFor(0.03, design, noise)!;
    const more = { run: noise.run, item: noise.item / Math.sqrt(factor) };
    expect(detectable(design, more)).toBeCloseTo(0.03, 6);
    expect(itemsFactorFor(0.01, design, noise)).toBeUndefined();
    expect(itemsFactorFor(10, design, noise)).toBe(1);
    expect(usualPower).toEqual({ alpha: 0.05, power: 0.8 });
  });
});
