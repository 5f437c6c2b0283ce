import { expect, test } from "vitest";
import { chiSquareUpper, normalTwoSided, standardNormalQuantile, tetragamma } from "./special.ts";

// R 4.2.2: 2 * pnorm(-abs(z)); pchisq(x, df, lower.tail = FALSE); qnorm(p); psigamma(x, 2), each to 15 digits.
test("the normal's tails, far out too", () => {
  expect(normalTwoSided(1.96)).toBeCloseTo(0.0499957902964409, 14);
  expect(normalTwoSided(-13) / 1.22343287990998e-38).toBeCloseTo(1, 10);
});

test("the chi-square's upper tail", () => {
  expect(chiSquareUpper(3.84, 1)).toBeCloseTo(0.0500435212487052, 12);
  expect(chiSquareUpper(150, 3) / 2.63491392848804e-32).toBeCloseTo(1, 8);
  expect(chiSquareUpper(0, 2)).toBe(1);
});

test("the normal's quantile", () => {
  expect(standardNormalQuantile(0.975)).toBeCloseTo(1.95996398454005, 12);
});

test("the third derivative of log gamma", () => {
  expect(tetragamma(2.5)).toBeCloseTo(-0.236204051641727, 12);
  expect(tetragamma(0.1) / -2001.86145737834).toBeCloseTo(1, 10);
});
