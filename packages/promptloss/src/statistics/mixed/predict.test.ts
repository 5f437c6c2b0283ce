import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { fitMixedModel } from "./model.ts";
import { predict } from "./predict.ts";

const { data } = JSON.parse(
  readFileSync(new URL("../goldens/mixed-models.json", import.meta.url), "utf8"),
) as {
  data: Row[];
};
const fit = fitMixedModel(data, "score ~ scale(wp) * kind + (1 + wp | benchmark) + (1 | model)");

test("conditional means of the fit's own rows are its fitted values", () => {
  const means = predict(fit, data, { conditional: true }).map(({ mean }) => mean);
  for (const [i, mean] of means.entries()) expect(mean).toBeCloseTo(fit.fitted[i]!, 12);
});

test("new rows get the scale and the levels of the fit", () => {
  const [alone] = predict(fit, [{ wp: 0.5, kind: "short" }]);
  const both = predict(fit, [
    { wp: 0, kind: "choice" },
    { wp: 0.5, kind: "short" },
  ]);
  expect(both[1]).toEqual(alone);
});

test("a group that the fit hasn't seen is a typical one", () => {
  const row = { wp: 0.5, kind: "long", benchmark: "new", model: "new" };
  expect(predict(fit, [row], { conditional: true })).toEqual(predict(fit, [row]));
});

test("an intercept's standard error is the prediction's at 0", () => {
  const plain = fitMixedModel(data, "score ~ wp + (1 | benchmark)");
  const { estimate, standardError } = plain.coefficients[0]!;
  const [prediction] = predict(plain, [{ wp: 0 }]);
  expect(prediction!.linear).toBeCloseTo(estimate, 12);
  expect(prediction!.standardError).toBeCloseTo(standardError, 12);
});

test("a level that the fit hasn't seen, and a missing column, are refused", () => {
  expect(() => predict(fit, [{ wp: 0.5, kind: "other" }])).toThrow(/row 1: kind "other" was not in the data/);
  expect(() => predict(fit, [{ wp: 0.5 }])).toThrow(/unknown column "kind"/);
});
