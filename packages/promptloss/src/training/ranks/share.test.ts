import fc from "fast-check";
import { expect, test } from "vitest";
import { shareOf } from "./share.ts";

const lengths = fc.array(fc.integer({ min: 2, max: 500 }), { maxLength: 40 });

test("every row is one rank's, whatever there is of rows and ranks", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 9 }), (rows, size) => {
      const shares = Array.from({ length: size }, (_, rank) => shareOf(rows, rank, size));
      expect(shares.flat().sort((a, b) => a - b)).toEqual(rows.map((_, place) => place));
      // No rank has more than the others by more than a row.
      const tokens = shares.map((share) => share.reduce((sum, place) => sum + rows[place]!, 0));
      expect(Math.max(...tokens) - Math.min(...tokens)).toBeLessThanOrEqual(Math.max(0, ...rows));
    }),
  );
});

test("one rank has all rows in their order", () => {
  expect(shareOf([5, 9, 2], 0, 1)).toEqual([0, 1, 2]);
  expect([shareOf([5, 9, 2], 0, 2), shareOf([5, 9, 2], 1, 2)]).toEqual([[1], [0, 2]]);
  expect(shareOf([5], 1, 2)).toEqual([]);
});
