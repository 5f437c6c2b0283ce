import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { kenwardRoger } from "./kenward-roger.ts";
import { fitMixedModel } from "./model.ts";
import { pooledDf, satterthwaite } from "./satterthwaite.ts";

interface Golden {
  formula: string;
  terms: string[];
  names: string[];
  estimates: number[];
  standardErrors: number[];
  df: number[];
  p: number[];
  logLik: number;
  satterthwaite: { f: number; df: number; p: number };
  kenwardRoger: {
    f: number;
    df: number;
    p: number;
    coefficientDf: number[];
    coefficientStandardErrors: number[];
  };
}

const goldens = JSON.parse(
  readFileSync(new URL("../goldens/degrees-of-freedom.json", import.meta.url), "utf8"),
) as { data: Row[]; fits: Golden[] };

/** R's I(wp^2) is our wp^2; of interactions R puts the variable first that stands first. */
function ours(name: string): string {
  return name.replace("I(wp^2)", "wp^2");
}

test("several contrasts have the pooled degrees of freedom that lmerTest's get_Fstat_ddf gives them", () => {
  expect(pooledDf([1.9, 3])).toBe(2);
  expect(pooledDf([4, 6])).toBeCloseTo(14 / 3, 12);
  expect(pooledDf([5, 5])).toBe(5);
});

describe.each(goldens.fits.map((golden) => [golden.formula, golden] as const))("%s", (formula, golden) => {
  const fit = fitMixedModel(goldens.data, formula, { family: "gaussian", reml: true });
  const unit = (name: string): number[] =>
    fit.coefficients.map((coefficient) => (coefficient.name === ours(name) ? 1 : 0));
  const rows = golden.terms.map(unit);
  // lme4's optimizer stops at about 1e-6 of a parameter and lmerTest's derivatives are differences: seen to 1e-4.
  const close = (value: number, golden: number): void =>
    expect(Math.abs(value / golden - 1)).toBeLessThan(5e-4);

  test("is the same fit", () => {
    expect(fit.logLik).toBeCloseTo(golden.logLik, 4);
    expect(fit.coefficients.map(({ name }) => name)).toEqual(golden.names.map(ours));
  });

  test("Satterthwaite's degrees of freedom are lmerTest's", () => {
    const { contrast, joint } = satterthwaite(fit);
    for (const [k, name] of golden.names.entries()) {
      const found = contrast(unit(name));
      close(found.estimate, golden.estimates[k]!);
      close(found.standardError, golden.standardErrors[k]!);
      close(found.df, golden.df[k]!);
      close(found.p, golden.p[k]!);
    }
    const f = joint(rows);
    close(f.f, golden.satterthwaite.f);
    close(f.denominatorDf, golden.satterthwaite.df);
    close(f.p, golden.satterthwaite.p);
  });

  test("Kenward and Roger's test is pbkrtest's", () => {
    const { joint, covariance } = kenwardRoger(fit);
    for (const [k, name] of golden.names.entries()) {
      close(Math.sqrt(covariance[k]![k]!), golden.kenwardRoger.coefficientStandardErrors[k]!);
      close(joint([unit(name)]).denominatorDf, golden.kenwardRoger.coefficientDf[k]!);
    }
    const f = joint(rows);
    close(f.f, golden.kenwardRoger.f);
    close(f.denominatorDf, golden.kenwardRoger.df);
    close(f.p, golden.kenwardRoger.p);
  });
});
