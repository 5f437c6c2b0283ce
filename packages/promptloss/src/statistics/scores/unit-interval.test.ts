import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TableError } from "../errors.ts";
import { toUnitInterval } from "./unit-interval.ts";

const scores = [10, 20, 40, 0.1, 0.3, 0.5];
const groups = ["a", "a", "a", "b", "b", "b"];

test("min-max works within each group and records its numbers", () => {
  const { scores: unit, applied } = toUnitInterval(scores, groups, [{ name: "min-max" }]);
  expect(unit.map((x) => Number(x.toFixed(12)))).toEqual([0, 0.333333333333, 1, 0, 0.5, 1]);
  expect(applied[0]!.parameters).toEqual({ "a min": 10, "a max": 40, "b min": 0.1, "b max": 0.5 });
});

test("squeeze is Smithson and Verkuilen's", () => {
  const { scores: unit, applied } = toUnitInterval(
    [0, 0.5, 1, 1],
    ["a", "a", "a", "a"],
    [{ name: "squeeze" }],
  );
  expect(unit).toEqual([0.125, 0.5, 0.875, 0.875]);
  expect(applied).toMatchObject([{ name: "squeeze", parameters: { n: 4 } }]);
});

test("percent and clip", () => {
  const { scores: unit, applied } = toUnitInterval(
    [0, 55, 100],
    ["a", "a", "a"],
    [{ name: "percent" }, { name: "clip", margin: 0.01 }],
  );
  expect(unit).toEqual([0.01, 0.55, 0.99]);
  expect(applied.map(({ name }) => name)).toEqual(["percent", "clip"]);
});

test("min-max and squeeze bring any scores inside (0, 1) in their order", () => {
  const score = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.uniqueArray(score, { minLength: 2, maxLength: 30 }), (values) => {
      const { scores: unit } = toUnitInterval(
        values,
        values.map(() => "g"),
        [{ name: "min-max" }, { name: "squeeze" }],
      );
      expect(unit.every((x) => x > 0 && x < 1)).toBe(true);
      const order = (list: readonly number[]) => [...list.keys()].sort((a, b) => values[a]! - values[b]!);
      for (const [i, at] of order(unit).entries()) {
        if (i > 0) expect(unit[at]!).toBeGreaterThanOrEqual(unit[order(unit)[i - 1]!]!);
      }
    }),
  );
});

describe("refuses", () => {
  test.each([
    [
      "a score outside [0, 1] for squeeze",
      [0.5, 55],
      [{ name: "squeeze" }],
      /row 2: squeeze needs scores from 0 to 1/,
    ],
    ["a group without a range", [3, 3], [{ name: "min-max" }], /all scores of g are 3/],
    ["a score that is no number", [0.1, Number.NaN], [{ name: "percent" }], /row 2: the score is NaN/],
    ["a margin of a half", [0.1, 0.2], [{ name: "clip", margin: 0.5 }], /margin 0.5/],
    [
      "a margin where it has no meaning",
      [0.1, 0.2],
      [{ name: "squeeze", margin: 0.1 }],
      /squeeze takes no margin/,
    ],
  ] as const)("%s", (_, values, steps, message) => {
    expect(() => toUnitInterval([...values], ["g", "g"], [...steps])).toThrow(message);
  });

  test("with the row as a field", () => {
    expect(() => toUnitInterval([0.5, 55], ["g", "g"], [{ name: "squeeze" }])).toThrow(
      expect.objectContaining({ constructor: TableError, row: 1 }),
    );
  });

  test("another name, and groups that don't fit", () => {
    expect(() => toUnitInterval([1], ["g"], [{ name: "rank" as "clip" }])).toThrow(
      /unknown score transform "rank"/,
    );
    expect(() => toUnitInterval([1, 2], ["g"], [])).toThrow(/one for each/);
  });
});
