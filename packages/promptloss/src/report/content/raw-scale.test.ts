import fc from "fast-check";
import { expect, test } from "vitest";
import { type ScoreTransform, toUnitInterval } from "../../statistics/index.ts";
import { rawScale } from "./raw-scale.ts";

const chains: ScoreTransform[][] = [
  [{ name: "min-max" }, { name: "squeeze" }],
  [{ name: "percent" }, { name: "squeeze" }],
  [{ name: "percent" }, { name: "clip", margin: 1e-9 }],
];

test("scores on the modeled scale come back to their own, for each benchmark and for negated ones", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 4, maxLength: 12 }),
      fc.constantFrom(...chains),
      (values, chain) => {
        const groups = values.map((_, i) => (i % 2 === 0 ? "even" : "odd"));
        const { scores, applied } = toUnitInterval(values, groups, chain);
        const inverse = { even: rawScale(applied, "even", false), odd: rawScale(applied, "odd", true) };
        // A few roundings of numbers up to 100.
        for (const [i, score] of scores.entries()) {
          if (i % 2 === 0) expect(inverse.even(score)).toBeCloseTo(values[i]!, 9);
          else expect(inverse.odd(score)).toBeCloseTo(-values[i]!, 9);
        }
      },
    ),
  );
});
