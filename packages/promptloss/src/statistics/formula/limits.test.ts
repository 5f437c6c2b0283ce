// Formulas without reason: each an error that says so, none a hang or an overflow.
import { expect, test } from "vitest";
import { FormulaError } from "../errors.ts";
import { readFormula } from "./terms.ts";

test.each([
  ["20,000 brackets", `y ~ ${"(".repeat(20_000)}x${")".repeat(20_000)}`, "at most 4,000 characters"],
  ["brackets", `y ~ ${"(".repeat(1900)}x${")".repeat(1900)}`, "deeper than 100"],
  ["signs", `y ~ ${"-".repeat(3000)}x`, "deeper than 100"],
  ["powers", `y ~ x${"^x".repeat(1500)}`, "deeper than 100"],
  ["calls", `y ~ ${"f(".repeat(1300)}x${")".repeat(1300)}`, "deeper than 100"],
  [
    "crossed columns",
    `y ~ ${Array.from({ length: 30 }, (_, i) => `x${i}`).join(" * ")}`,
    "more than 2,000 terms",
  ],
  [
    "crossed to a power",
    `y ~ (${Array.from({ length: 60 }, (_, i) => `x${i}`).join(" + ")})^8`,
    "more than 2,000 terms",
  ],
])("%s", (_, formula, message) => {
  expect(() => readFormula(formula)).toThrow(FormulaError);
  expect(() => readFormula(formula)).toThrow(message);
});

test("what a person writes is within the limits", () => {
  expect(readFormula(`y ~ ${"(".repeat(40)}x${")".repeat(40)}`).terms).toHaveLength(1);
  const sum = Array.from({ length: 800 }, (_, i) => `x${i}`).join("+");
  expect(readFormula(`y ~ ${sum}`).terms).toHaveLength(800);
  expect(readFormula("y ~ a * b * c * d * e").terms).toHaveLength(31);
});
