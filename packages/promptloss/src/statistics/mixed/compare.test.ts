import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { renderComparison } from "../report/summary.ts";
import { compareModels, likelihoodRatioTest } from "./compare.ts";
import type { MixedModelFit } from "./fit.ts";
import { fitMixedModel, type MixedModelOptions } from "./model.ts";

const { data, comparison } = JSON.parse(
  readFileSync(new URL("../goldens/mixed-models.json", import.meta.url), "utf8"),
) as { data: Row[]; comparison: { chisq: number[]; p: number[] } };

function fit(formula: string, options?: MixedModelOptions): MixedModelFit {
  return fitMixedModel(data, formula, options);
}
const none = fit("score ~ 1 + (1 | benchmark)");
const linear = fit("score ~ wp + (1 | benchmark)");
const curved = fit("score ~ wp + I(wp^2) + (1 | benchmark)");
const slopes = fit("score ~ wp + I(wp^2) + (1 + wp | benchmark)");

test("agrees with R's anova", () => {
  const rows = compareModels([slopes, none, curved, linear]);
  expect(rows.map(({ formula }) => formula)).toEqual(
    [none, linear, curved, slopes].map(({ formula }) => formula),
  );
  expect(rows[0]!.test).toBeUndefined();
  for (const [i, { test: lrt }] of rows.slice(1).entries()) {
    // Both log-likelihoods are right to about 1e-8.
    expect(lrt!.statistic).toBeCloseTo(comparison.chisq[i]!, 5);
    expect(lrt!.p / comparison.p[i]!).toBeCloseTo(1, 4);
  }
  expect(rows.map(({ test: lrt }) => lrt?.degreesOfFreedom)).toEqual([undefined, 1, 1, 2]);
  expect(rows.map(({ test: lrt }) => lrt?.conservative)).toEqual([undefined, false, false, true]);
  expect(renderComparison(rows)).toMatchSnapshot();
});

describe("refuses what is not nested", () => {
  test.each([
    [
      "another column",
      fit("score ~ log(size) + (1 | benchmark)"),
      curved,
      /only the smaller one has log\(size\)/,
    ],
    [
      "another grouping",
      fit("score ~ wp + (1 | model)"),
      curved,
      /only the smaller one has \(\(Intercept\) \| model\)/,
    ],
    [
      "another slope",
      fit("score ~ wp + (0 + wp | benchmark)"),
      curved,
      /only the smaller one has \(wp \| benchmark\)/,
    ],
    ["another family", fit("score ~ wp", { family: "gaussian" }), curved, /families differ/],
    ["as many parameters", linear, fit("score ~ wp + (1 | model)"), /as many parameters/],
    ["other rows", fitMixedModel(data.slice(1), linear.formula), curved, /different rows/],
  ])("%s", (_, smaller, larger, message) => {
    expect(() => likelihoodRatioTest(smaller, larger)).toThrow(message);
  });

  test("REML fits with different fixed effects, REML against none", () => {
    const options = { family: "gaussian", reml: true } as const;
    const a = fit("score ~ wp + (1 | benchmark)", options);
    const b = fit("score ~ wp + I(wp^2) + (1 | benchmark)", options);
    expect(() => likelihoodRatioTest(a, b)).toThrow(/same fixed effects/);
    expect(() => likelihoodRatioTest(a, fit(b.formula, { family: "gaussian" }))).toThrow(/one is a REML fit/);
    expect(likelihoodRatioTest(a, fit("score ~ wp + (1 + wp | benchmark)", options)).degreesOfFreedom).toBe(
      2,
    );
  });
});

test("one spelling nests in another of the same columns", () => {
  expect(likelihoodRatioTest(linear, fit("score ~ wp + wp^2 + (1 | benchmark)")).degreesOfFreedom).toBe(1);
});

test("a single fit is no comparison", () => {
  expect(() => compareModels([linear])).toThrow(/two fits/);
});
