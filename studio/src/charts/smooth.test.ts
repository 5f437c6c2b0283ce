import fc from "fast-check";
import { expect, test } from "vitest";
import { smoothed } from "./smooth.ts";

test("a moving average stays between the least and the highest value, begins at the first, and keeps gaps", () => {
  const value = fc.option(fc.double({ min: -10, max: 10, noNaN: true }), { nil: null });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (values, weight) => {
        const found = smoothed(values, weight);
        const known = values.filter((each) => each !== null);
        expect(found.map((each) => each === null)).toEqual(values.map((each) => each === null));
        const slack = 1e-9;
        for (const each of found.filter((one) => one !== null)) {
          expect(each).toBeGreaterThanOrEqual(Math.min(...known) - slack);
          expect(each).toBeLessThanOrEqual(Math.max(...known) + slack);
        }
        if (known.length > 0) expect(found.find((each) => each !== null)).toBeCloseTo(known[0]!, 9);
      },
    ),
  );
});
