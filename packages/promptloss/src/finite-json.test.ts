import fc from "fast-check";
import { expect, test } from "vitest";
import { finiteJson } from "./finite-json.ts";

test("finite results are JSON as ever", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(finiteJson(value, "results"))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%s is an error", (value) => {
  expect(() => finiteJson({ totals: { losses: [1, value] } }, "the loss")).toThrow(
    `the loss: totals.losses.1 is ${value}`,
  );
  expect(() => finiteJson(value, "the loss")).toThrow(`the loss: the value is ${value}`);
});
