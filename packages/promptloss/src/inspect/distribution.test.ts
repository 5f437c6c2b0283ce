import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distributionOf } from "./distribution.ts";

const lengths = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 300 });

describe("distributionOf", () => {
  // NumPy: a = [1, 2, 3, 4, 10]; a.mean(), a.std(ddof=1), np.quantile(a, [.05, .25, .5, .75, .95, .99])
  test("gives NumPy's figures", () => {
    const { mean, sd, min, max, quantiles } = distributionOf([10, 1, 4, 2, 3])!;
    expect([mean, min, max]).toEqual([4, 1, 10]);
    expect(sd).toBeCloseTo(3.5355339059327378, 14);
    expect(Object.values(quantiles).map((value) => Number(value.toFixed(10)))).toEqual([
      1.2, 2, 3, 4, 8.8, 9.76,
    ]);
  });

  test("counts every value in one bin, and the bins lie side by side", () => {
    fc.assert(
      fc.property(lengths, (values) => {
        const { histogram, min, max } = distributionOf(values)!;
        expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        expect(histogram.edges).toHaveLength(histogram.counts.length + 1);
        expect(histogram.edges[0]).toBeLessThanOrEqual(min);
        expect(histogram.edges.at(-1)).toBeGreaterThanOrEqual(max);
        histogram.counts.forEach((count, i) => {
          const [from, to] = [histogram.edges[i]!, histogram.edges[i + 1]!];
          const last = i === histogram.counts.length - 1;
          expect(count).toBe(values.filter((value) => value >= from && (value < to || last)).length);
        });
      }),
    );
  });

  test("has nothing to say of no values", () => {
    expect(distributionOf([])).toBeUndefined();
  });
});
