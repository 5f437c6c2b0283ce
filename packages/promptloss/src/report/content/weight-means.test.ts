import { expect, test } from "vitest";
import { weightMeans } from "./weight-means.ts";

function at(plw: number, value: number, standardError: number | null = null) {
  return {
    ...{ plw, value, standardError },
    wp: plw ** 0.30103,
  };
}

test("replicates give intervals of a pooled spread", () => {
  const { means, intervals } = weightMeans([at(1, 6), at(0, 1), at(0, 3), at(1, 4), at(0.1, 5)], 0.95);
  expect(intervals).toBe("replicates");
  expect(means.map(({ plw, mean, count }) => [plw, mean, count])).toEqual([
    [0, 2, 2],
    [0.1, 5, 1],
    [1, 5, 2],
  ]);
  // Two degrees of freedom, pooled variance 2; R: qt(0.975, 2) is 4.302653.
  expect(means[0]!.upper! - 2).toBeCloseTo(4.302653, 5);
  expect(5 - means[1]!.lower!).toBeCloseTo(4.302653 * Math.SQRT2, 5);
});

test("one value a weight takes the task's own standard error, or none", () => {
  const own = weightMeans([at(0, 1, 0.5), at(1, 2)], 0.95);
  expect(own.intervals).toBe("task");
  // R: qnorm(0.975) is 1.959964.
  expect(own.means[0]!.upper).toBeCloseTo(1 + 0.5 * 1.959964, 5);
  expect(own.means[1]!.lower).toBeUndefined();
  expect(weightMeans([at(0, 1)], 0.95).intervals).toBe("none");
});

test("values that are no numbers are no values", () => {
  expect(weightMeans([at(0, Number.NaN), at(1, 2)], 0.95).means.map(({ plw }) => plw)).toEqual([1]);
  expect(weightMeans([], 0.95)).toEqual({ means: [], intervals: "none" });
});
