import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { fitMixedModel } from "../mixed/model.ts";
import { pValue, short, stars } from "../numbers.ts";
import { fitToJson } from "./json.ts";
import { renderSummary } from "./summary.ts";

const { data } = JSON.parse(
  readFileSync(new URL("../goldens/mixed-models.json", import.meta.url), "utf8"),
) as {
  data: Row[];
};

test("a beta model with correlated slopes and a column left out", () => {
  const rows = data.map((row, i) => (i === 4 ? { ...row, wp: null } : { ...row, half: Number(row.wp) / 2 }));
  expect(
    renderSummary(fitMixedModel(rows, "score ~ wp + wp^2 + half + (1 + wp | benchmark)")),
  ).toMatchSnapshot();
});

test("a Gaussian REML model, singular", () => {
  const formula = "score ~ wp + (1 + wp | model)";
  expect(renderSummary(fitMixedModel(data, formula, { family: "gaussian", reml: true }))).toMatchSnapshot();
});

test("a model without random effects", () => {
  expect(renderSummary(fitMixedModel(data, "score ~ wp"))).toMatchSnapshot();
});

test("the JSON has the numbers, survives a round trip and holds no state", () => {
  const fit = fitMixedModel(data, "score ~ wp + (1 | benchmark)");
  const json = fitToJson(fit) as Record<string, unknown>;
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  expect(json).toMatchObject({ logLik: fit.logLik, coefficients: fit.coefficients, converged: true });
  expect(json).not.toHaveProperty("state");
});

test("numbers", () => {
  expect([12.345678, 0.00123456, -1234.5, 0, 1e-9, Number.NaN].map((x) => short(x))).toEqual([
    "12.35",
    "0.001235",
    "-1235",
    "0",
    "1.00e-9",
    "–",
  ]);
  expect([0.04321, 0.0009, 1e-20].map(pValue)).toEqual(["0.0432", "9.00e-4", "< 2e-16"]);
  expect([0.0005, 0.005, 0.02, 0.07, 0.5].map(stars)).toEqual(["***", "**", "*", ".", ""]);
});
