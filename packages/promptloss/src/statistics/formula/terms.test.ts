import { describe, expect, test } from "vitest";
import { FormulaError } from "../errors.ts";
import { readFormula } from "./terms.ts";

function terms(source: string): string[] {
  return readFormula(source).terms.map(({ variables }) => variables.join(":"));
}

function fault(source: string): FormulaError {
  try {
    readFormula(source);
  } catch (error) {
    if (error instanceof FormulaError) return error;
    throw error;
  }
  throw new Error(`${source} was read`);
}

describe("fixed effects", () => {
  test.each([
    ["score ~ wp + wp^2", ["wp", "wp^2"]],
    ["score ~ wp + I(wp ^ 2)", ["wp", "I(wp^2)"]],
    ["y ~ a*b", ["a", "b", "a:b"]],
    ["y ~ a*b*c", ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]],
    ["y ~ (a + b + c)^2", ["a", "b", "c", "a:b", "a:c", "b:c"]],
    ["y ~ (w + I(w^2)) * lrg", ["w", "I(w^2)", "lrg", "w:lrg", "I(w^2):lrg"]],
    ["y ~ a/b", ["a", "a:b"]],
    ["y ~ a*b - a", ["b", "a:b"]],
    ["y ~ b:a + a:b", ["b:a"]],
    ["y ~ a + c + b:a", ["a", "c", "a:b"]],
    ["y ~ log(rg) + `my column`", ["log(rg)", "`my column`"]],
    ["y ~ I((a + 1)/b)", ["I((a + 1)/b)"]],
    ["y ~ 1", []],
  ])("%s", (source, expected) => {
    expect(terms(source)).toEqual(expected);
    expect(readFormula(source).intercept).toBe(true);
  });

  test.each(["y ~ 0 + a", "y ~ a - 1", "y ~ -1 + a", "y ~ a + (1 | g) - 1"])(
    "%s has no intercept",
    (source) => {
      expect(readFormula(source)).toMatchObject({ intercept: false, terms: [{ variables: ["a"] }] });
    },
  );
});

describe("random effects", () => {
  const random = (source: string) =>
    readFormula(`y ~ x + ${source}`).random.map(({ group, intercept, terms: t, uncorrelated }) => ({
      group,
      effects: [...(intercept ? ["1"] : []), ...t.map(({ variables }) => variables.join(":"))],
      uncorrelated,
    }));

  test.each([
    ["(1 | g)", [{ group: "g", effects: ["1"], uncorrelated: false }]],
    ["(1 + wp | g)", [{ group: "g", effects: ["1", "wp"], uncorrelated: false }]],
    ["(wp || g)", [{ group: "g", effects: ["1", "wp"], uncorrelated: true }]],
    ["(0 + wp|g)", [{ group: "g", effects: ["wp"], uncorrelated: false }]],
    ["(1 | a:b)", [{ group: "a:b", effects: ["1"], uncorrelated: false }]],
    [
      "(1 | a/b)",
      [
        { group: "b:a", effects: ["1"], uncorrelated: false },
        { group: "a", effects: ["1"], uncorrelated: false },
      ],
    ],
  ])("%s", (source, expected) => expect(random(source)).toEqual(expected));

  test("may stand alone", () => {
    expect(readFormula("y ~ (1 | g)")).toMatchObject({ intercept: true, terms: [] });
  });
});

describe("faults point at their place", () => {
  test.each([
    ["score ~ wp + ", 13, /found the end/],
    ["score wp", 6, /expected "~"/],
    ["score ~ wp + 1 | model", 15, /brackets/],
    ["score ~ wp * (1 | model)", 14, /can only be added/],
    ["score ~ (1 + wp | model", 23, /expected "\)" for the "\(" at position 9/],
    ["score ~ wp + 3", 13, /3 is no term/],
    ["score ~ offset(wp)", 8, /offsets/],
    ["score ~ wp # 2", 11, /unexpected "#"/],
    ["score ~ (a + b)^1.5", 16, /whole degree/],
    ["score ~ wp^2 ~ 3", 13, /unexpected "~"/],
    ["score ~ (1 | 2)", 13, /no grouping/],
  ])("%s", (source, position, message) => {
    const error = fault(source);
    expect(error.message).toMatch(message);
    expect(error.position).toBe(position);
  });

  test("the message shows the formula with a caret", () => {
    expect(fault("y ~ a + + ").message).toBe(
      "formula, position 11: expected a column, a number or a bracket, found the end\n  y ~ a + + \n            ^",
    );
  });
});
