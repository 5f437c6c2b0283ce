import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { renderSummary } from "../report/summary.ts";
import { bootstrap } from "./bootstrap.ts";
import { compareModels } from "./compare.ts";
import { kenwardRoger } from "./kenward-roger.ts";
import { fitMixedModel } from "./model.ts";
import { satterthwaite } from "./satterthwaite.ts";

interface Golden {
  formula: string;
  samplingError: string;
  reml: boolean;
  estimates: number[];
  standardErrors: number[];
  /** The residual one, then of each grouping. */
  variances: number[];
  logLik: number;
  /** Satterthwaite's; empty where none are given. */
  df: number[];
}

const goldens = JSON.parse(
  readFileSync(new URL("../goldens/sampling-errors.json", import.meta.url), "utf8"),
) as { data: Row[]; fits: Golden[] };

function unit(k: number): number[] {
  return [0, 1, 2].map((j) => (j === k ? 1 : 0));
}

describe.each(
  goldens.fits.map((golden) => [golden.formula, golden.samplingError, golden.reml, golden] as const),
)("%s with known %s, REML %s", (formula, samplingError, reml, golden) => {
  const fit = fitMixedModel(goldens.data, formula, { family: "gaussian", reml, samplingError });

  test("is metafor's fit", () => {
    expect(fit.converged).toBe(true);
    expect(fit.logLik).toBeCloseTo(golden.logLik, 6);
    for (const [k, { estimate }] of fit.coefficients.entries())
      expect(estimate).toBeCloseTo(golden.estimates[k]!, 5);
    // metafor's optimizers stop at about 1e-6 of a variance.
    const variances = [fit.dispersion ** 2, ...fit.varianceComponents.map(({ sd }) => sd[0]! ** 2)];
    for (const [k, variance] of variances.entries()) expect(variance).toBeCloseTo(golden.variances[k]!, 6);
  });

  // By maximum likelihood ours count the variances' uncertainty, and metafor's do not.
  if (reml)
    test("has its standard errors, and Satterthwaite's degrees of freedom", () => {
      const { contrast } = satterthwaite(fit);
      for (const [k, standardError] of golden.standardErrors.entries())
        expect(Math.abs(contrast(unit(k)).standardError / standardError - 1)).toBeLessThan(1e-4);
      for (const [k, df] of golden.df.entries())
        expect(Math.abs(contrast(unit(k)).df / df - 1)).toBeLessThan(1e-3);
    });
});

const formula = "score ~ wp + wp^2 + (1|block) + (1|cell)";

test("a sampling error that all scores share takes its part of the residual variance, and changes nothing else", () => {
  const rows = goldens.data.map((row) => ({ ...row, same: 0.05 }));
  const plain = fitMixedModel(rows, formula, { family: "gaussian", reml: true });
  const known = fitMixedModel(rows, formula, { family: "gaussian", reml: true, samplingError: "same" });
  expect(known.dispersion ** 2 + 0.05 ** 2).toBeCloseTo(plain.dispersion ** 2, 7);
  expect(known.logLik).toBeCloseTo(plain.logLik, 7);
  for (const k of [0, 1, 2]) {
    const [a, b] = [satterthwaite(known).contrast(unit(k)), satterthwaite(plain).contrast(unit(k))];
    expect(a.standardError).toBeCloseTo(b.standardError, 6);
    expect(Math.abs(a.df / b.df - 1)).toBeLessThan(1e-3);
  }
  const [a, b] = [kenwardRoger(known), kenwardRoger(plain)].map((test) => test.joint([unit(1), unit(2)]));
  expect(Math.abs(a!.f / b!.f - 1)).toBeLessThan(1e-4);
  expect(Math.abs(a!.denominatorDf / b!.denominatorDf - 1)).toBeLessThan(1e-3);
});

test("sampling errors that explain all that differs leave a residual variance of 0, and the fit says so", () => {
  const fit = fitMixedModel(goldens.data, "score ~ wp + wp^2 + (1|task)", {
    ...{ family: "gaussian", reml: true, samplingError: "large" },
  });
  expect(fit.dispersion).toBe(0);
  expect(fit.converged).toBe(true);
  expect(fit.diagnostics.map(({ code }) => code)).toContain("dispersion-boundary");
  expect(renderSummary(fit)).toContain(
    "sigma 0 beside the scores' own standard errors (large), which are known",
  );
});

test("the bootstrap draws the known part of the noise too", () => {
  const fit = fitMixedModel(goldens.data, "score ~ wp + wp^2 + (1|task)", {
    ...{ family: "gaussian", reml: true, samplingError: "large" },
  });
  const { coefficients } = bootstrap(fit, { replicates: 60, seed: 2 });
  const slopes = coefficients.map((found) => found[1]!);
  const mean = slopes.reduce((sum, x) => sum + x, 0) / slopes.length;
  const deviation = Math.sqrt(slopes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (slopes.length - 1));
  const { standardError } = satterthwaite(fit).contrast(unit(1));
  expect(deviation / standardError).toBeGreaterThan(0.7);
  expect(deviation / standardError).toBeLessThan(1.4);
});

test("refuses what it can't take for known: another family, no such column, and values that are no standard errors", () => {
  const fit = (rows: readonly Row[], samplingError: string, family: "beta" | "gaussian" = "gaussian") =>
    fitMixedModel(rows, "score ~ wp", { family, samplingError });
  const { data } = goldens;
  expect(() => fit(data, "standard_error", "beta")).toThrow(/for the Gaussian family/);
  expect(() => fit(data, "standard_eror")).toThrow(/unknown column "standard_eror"/);
  const changed = (value: unknown): Row[] =>
    data.map((row, i) => (i === 3 ? { ...row, standard_error: value as number } : row));
  expect(() => fit(changed(null), "standard_error")).toThrow(/row 4: standard_error is missing/);
  expect(() => fit(changed(-1), "standard_error")).toThrow(/row 4: standard_error is -1, no standard error/);
  expect(() => fit(changed("many"), "standard_error")).toThrow(/row 4: standard_error is many, no standard/);
});

test("fits with other known errors are not compared", () => {
  const fit = (samplingError: string | undefined, terms: string) =>
    fitMixedModel(goldens.data, `score ~ ${terms}`, { family: "gaussian", samplingError });
  expect(() => compareModels([fit("standard_error", "wp"), fit(undefined, "wp + wp^2")])).toThrow(
    /other sampling errors for known/,
  );
});
