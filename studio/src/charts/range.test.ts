import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRange, rangeText } from "./range.ts";

test("a range comes back from its text, to six digits", () => {
  const end = fc.option(fc.integer({ min: 0, max: 999_999 }), { nil: undefined });
  fc.assert(
    fc.property(end, end, (from, to) => {
      const text = rangeText({ from, to });
      const isRange = (from ?? to) !== undefined && (from ?? -1) < (to ?? 1e9);
      expect(parseRange(text ?? "")).toEqual(isRange ? { from, to } : undefined);
    }),
  );
});

test("what is no range is none", () => {
  for (const text of ["", "..", "3", "a..b", "5..3", "3..3", "..-"])
    expect(parseRange(text), text).toBeUndefined();
});
