import fc from "fast-check";
import { expect, test } from "vitest";
import { pairedErrors } from "./paired-errors.ts";

/** Squared standard error of the mean of a − b, by its definition. */
function ofDifference(a: readonly number[], b: readonly number[]): number {
  const difference = a.map((x, i) => x - b[i]!);
  const mean = difference.reduce((sum, x) => sum + x, 0) / a.length;
  return difference.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (a.length - 1) / a.length;
}

test("over all pairs of cells they are the paired differences' own standard errors", () => {
  const table = fc
    .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 2, max: 12 }))
    .chain(([cells, items]) =>
      fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: items, maxLength: items }), {
        ...{ minLength: cells, maxLength: cells },
      }),
    );
  fc.assert(
    fc.property(table, (values) => {
      const errors = pairedErrors(values)!;
      let [own, exact] = [0, 0];
      for (let a = 0; a < values.length; a++)
        for (let b = 0; b < a; b++) {
          own += errors[a]! ** 2 + errors[b]! ** 2;
          exact += ofDifference(values[a]!, values[b]!);
        }
      expect(own).toBeCloseTo(exact, 10);
    }),
  );
});

test("what is hard for all is no error, and nothing is known of one cell or one item", () => {
  const hard = [1, 1, 0, 0, 1];
  expect(pairedErrors([hard, hard, hard])).toEqual([0, 0, 0]);
  expect(pairedErrors([[1, 0, 1]])).toBeUndefined();
  expect(pairedErrors([[1], [0]])).toBeUndefined();
});
