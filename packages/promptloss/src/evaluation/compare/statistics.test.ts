// Exact tests against sums of binomial coefficients, intervals against what the normal distribution says.
import fc from "fast-check";
import { expect, test } from "vitest";
import { binomialTwoSided, pairedBootstrap, pairedTest, percentileInterval } from "./statistics.ts";

/** The reference: whole numbers, which are exact. */
function slow(a: number, b: number): number {
  const n = a + b;
  let [sum, term] = [0n, 1n];
  for (let k = 0; k <= Math.min(a, b); k++) {
    sum += term;
    term = (term * BigInt(n - k)) / BigInt(k + 1);
  }
  return Math.min(1, Number((2n * sum * 10n ** 15n) / 2n ** BigInt(n)) / 1e15);
}

test("two-sided binomial", () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (a, b) => {
      expect(binomialTwoSided(a, b)).toBeCloseTo(slow(a, b), 10);
    }),
  );
  // McNemar's textbook counts: 2 · P(X ≤ 1 of 10) = 22 / 1024.
  expect(binomialTwoSided(9, 1)).toBeCloseTo(22 / 1024, 12);
  expect(binomialTwoSided(5000, 5200)).toBeGreaterThan(0.04);
});

test("0 and 1 are McNemar's, other values the sign test's; ties count for nobody", () => {
  expect(pairedTest([1, 0, 1, 1], [0, 0, 1, 0])).toEqual({ name: "mcnemar", aHigher: 2, bHigher: 0, p: 0.5 });
  expect(pairedTest([0.2, 0.5], [0.4, 0.5])).toEqual({ name: "sign", aHigher: 0, bHigher: 1, p: 1 });
});

test("percentiles", () => {
  const values = Array.from({ length: 101 }, (_, i) => 100 - i);
  const [low, high] = percentileInterval(values, 0.9);
  expect(low).toBeCloseTo(5, 12);
  expect(high).toBeCloseTo(95, 12);
});

test("the interval of a mean difference is as wide as its standard error says", () => {
  const a = Array.from({ length: 400 }, (_, i) => [i % 2]);
  const b = Array.from({ length: 400 }, (_, i) => [i % 4 === 0 ? 1 : i % 2]);
  const options = { resamples: 2000, seed: 1, level: 0.95 };
  const [low, high] = pairedBootstrap(a, b, ([sum], items) => sum! / items, options);
  // Differences are 1 with share 1/4, otherwise 0: standard error √(3/16/400) = 0.02165; bootstrap noise is some 3 %.
  expect(low).toBeGreaterThan(0.25 - 1.96 * 0.02165 - 0.006);
  expect(low).toBeLessThan(0.25 - 1.96 * 0.02165 + 0.006);
  expect(high).toBeGreaterThan(0.25 + 1.96 * 0.02165 - 0.006);
  expect(high).toBeLessThan(0.25 + 1.96 * 0.02165 + 0.006);
});
