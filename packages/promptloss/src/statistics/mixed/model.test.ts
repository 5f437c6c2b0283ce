import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { sharedPath } from "../../../test/shared.ts";
import type { Row } from "../design/table.ts";
import { FitError, FormulaError, TableError } from "../errors.ts";
import type { FamilyName } from "../family/family.ts";
import { randomSource } from "../random.ts";
import type { MixedModelFit } from "./fit.ts";
import { fitMixedModel } from "./model.ts";

interface Golden {
  formula: string;
  family: FamilyName;
  reml: boolean;
  names: string[];
  estimates: number[];
  standardErrors: number[];
  p: number[];
  logLik: number;
  aic: number;
  bic: number;
  dispersion: number;
  random: Record<string, { sd: number[]; correlation: number[][] }>;
  fitted: number[];
}

const goldens = JSON.parse(
  readFileSync(new URL("../goldens/mixed-models.json", import.meta.url), "utf8"),
) as {
  data: Row[];
  fits: Golden[];
};

function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(Math.abs(b), 1e-12);
}
function worst(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((x, i) => relative(x, b[i]!)));
}

describe("what glmmTMB says of this project's own data", () => {
  test.each(goldens.fits.map((golden) => [golden.formula, golden.family, golden.reml, golden] as const))(
    "%s, %s, REML %s",
    (formula, family, reml, golden) => {
      const fit = fitMixedModel(goldens.data, formula, { family, reml });
      // R stops its optimizer and its differences at about 1e-5 of a standard error or of the value.
      const tolerance = 2e-4;
      const coefficients = fit.coefficients;
      // Ours may spell I(x^2) as x^2.
      expect(coefficients.map(({ name }) => name.replace(/^I\((.*)\)$/, "$1"))).toEqual(
        golden.names.map((name) => name.replace(/^I\((.*)\)$/, "$1")),
      );
      for (const [j, { estimate, standardError }] of coefficients.entries()) {
        expect(Math.abs(estimate - golden.estimates[j]!) / golden.standardErrors[j]!).toBeLessThan(tolerance);
        expect(relative(standardError, golden.standardErrors[j]!)).toBeLessThan(tolerance);
      }
      expect(Math.abs(fit.logLik - golden.logLik)).toBeLessThan(1e-6);
      expect(worst([fit.aic, fit.bic], [golden.aic, golden.bic])).toBeLessThan(1e-6);
      expect(relative(fit.dispersion, golden.dispersion)).toBeLessThan(tolerance);
      expect(worst(fit.fitted.slice(0, 12), golden.fitted)).toBeLessThan(tolerance);
      for (const { group, sd, correlation } of fit.varianceComponents) {
        const random = golden.random[group]!;
        for (const [m, s] of sd.entries()) expect(Math.abs(s - random.sd[m]!)).toBeLessThan(1e-4);
        expect(correlation[0]![1] ?? 0).toBeCloseTo(random.correlation[0]![1] ?? 0, 3);
      }
      expect(fit.converged).toBe(true);
    },
  );
});

describe("the reference fits", () => {
  const reference = sharedPath("reference", "glmm");
  needs("shared", reference).test("four data sets, six models each", () => {
    for (const file of [1, 2, 3, 4]) {
      const { data, fits } = JSON.parse(readFileSync(`${reference}/glmm-${file}.json`, "utf8"));
      for (const r of fits) {
        const family = r.name.startsWith("beta") ? "beta" : "gaussian";
        const fit = fitMixedModel(data, r.formula, { family });
        const where = `${file} ${r.name}`;
        if (!r.converged) {
          // Theirs stopped short: ours is no lower and says what is wrong with the model.
          expect(fit.logLik, where).toBeGreaterThan(r.logLik - 1e-9);
          expect(fit.singular, where).toBe(true);
          continue;
        }
        for (const { name, estimate, standardError } of fit.coefficients) {
          expect(relative(estimate, r.coefficients[name].estimate), where).toBeLessThan(1e-3);
          expect(relative(standardError, r.coefficients[name].se), where).toBeLessThan(1e-3);
        }
        expect(Math.abs(fit.logLik - r.logLik), where).toBeLessThan(1e-3);
        expect(relative(fit.dispersion, r.dispersion), where).toBeLessThan(1e-3);
        expect(worst(fit.fitted.slice(0, 10), r.fitted_first10), where).toBeLessThan(1e-3);
        expect([fit.converged, fit.singular], where).toEqual([true, false]);
        for (const { group, effects, levels } of fit.conditionalModes) {
          for (const [m, effect] of effects.entries()) {
            const modes = levels.map(({ values }) => values[m]!);
            for (const [l, mode] of modes.entries()) expect(mode).toBeCloseTo(r.ranef[group][effect][l], 4);
          }
        }
      }
    }
  });
});

describe("the reference's parametric surface", () => {
  const reference = sharedPath("reference", "glmm");
  needs("shared", reference).test("four fits without random effects", () => {
    for (const file of [1, 2, 3, 4]) {
      const { gam } = JSON.parse(readFileSync(`${reference}/glmm-${file}.json`, "utf8"));
      const fit = fitMixedModel(gam.data, gam.surface.formula);
      for (const { name, estimate } of fit.coefficients) {
        expect(relative(estimate, gam.surface.coef[name])).toBeLessThan(1e-3);
      }
      expect(Math.abs(fit.logLik - gam.surface.logLik)).toBeLessThan(1e-3);
      expect(relative(fit.dispersion, gam.surface.phi)).toBeLessThan(1e-3);
    }
  });
});

function rowsOf(seed: number, groups = 6, perGroup = 8): Row[] {
  const random = randomSource(seed);
  const shifts = Array.from({ length: groups }, () => 0.6 * random.normal());
  return Array.from({ length: groups * perGroup }, (_, i) => {
    const x = random.uniform();
    const mean = 1 / (1 + Math.exp(-(shifts[i % groups]! + 1.5 * x - 0.5)));
    return { g: `g${i % groups}`, x, y: random.beta(20 * mean, 20 * (1 - mean)) };
  });
}

function numbersOf(fit: MixedModelFit): number[] {
  return [
    fit.logLik,
    fit.dispersion,
    ...fit.coefficients.flatMap(({ estimate, standardError }) => [estimate, standardError]),
    ...fit.varianceComponents.flatMap(({ sd }) => sd),
  ];
}

// The optimizer stops within 1e-5 standard errors of the maximum.
function sameFit(a: readonly number[], b: readonly number[]): void {
  expect(worst(a, b)).toBeLessThan(1e-4);
}

describe("a fit doesn't depend on", () => {
  const seeds = fc.integer({ min: 1, max: 1000 });
  const formula = "y ~ x + (1 | g)";

  test("the order of the rows", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 47 }), (seed, turn) => {
        const rows = rowsOf(seed);
        const turned = [...rows.slice(turn), ...rows.slice(0, turn)];
        sameFit(numbersOf(fitMixedModel(rows, formula)), numbersOf(fitMixedModel(turned, formula)));
      }),
      { numRuns: 8 },
    );
  });

  test("the unit of a predictor", () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: -5, max: 5, noNaN: true }), (seed, magnitude) => {
        const unit = 10 ** magnitude;
        const rows = rowsOf(seed);
        const scaled = fitMixedModel(
          rows.map((row) => ({ ...row, x: Number(row.x) * unit })),
          "y ~ x + (1 + x | g)",
        );
        const plain = fitMixedModel(rows, "y ~ x + (1 + x | g)");
        expect(scaled.logLik).toBeCloseTo(plain.logLik, 7);
        sameFit(
          [scaled.coefficients[1]!.estimate * unit, scaled.coefficients[1]!.standardError * unit],
          [plain.coefficients[1]!.estimate, plain.coefficients[1]!.standardError],
        );
      }),
      { numRuns: 8 },
    );
  });

  test("the unit of a Gaussian response", () => {
    const rows = rowsOf(11);
    const plain = fitMixedModel(rows, formula, { family: "gaussian", reml: true });
    const scaled = fitMixedModel(
      rows.map((row) => ({ ...row, y: Number(row.y) * 1e6 })),
      formula,
      { family: "gaussian", reml: true },
    );
    expect(scaled.logLik).toBeCloseTo(plain.logLik - (48 - 2) * Math.log(1e6), 6);
    expect(scaled.dispersion / 1e6).toBeCloseTo(plain.dispersion, 8);
  });

  test("the names of the groups", () => {
    const rows = rowsOf(12);
    const renamed = rows.map((row) => ({ ...row, g: `z${9 - Number(String(row.g).slice(1))}` }));
    sameFit(numbersOf(fitMixedModel(rows, formula)), numbersOf(fitMixedModel(renamed, formula)));
  });
});

describe("bad input is refused with its place", () => {
  const rows = rowsOf(1);
  test("an unknown column, with the nearest name", () => {
    const unknown = (): MixedModelFit => fitMixedModel(rows, "y ~ xx + (1 | g)");
    expect(unknown).toThrow(FormulaError);
    expect(unknown).toThrow(
      expect.objectContaining({ position: 4, hint: expect.stringContaining('did you mean "x"') }),
    );
  });
  test("an unknown grouping", () => {
    expect(() => fitMixedModel(rows, "y ~ x + (1 | group)")).toThrow(/position 14: unknown column "group"/);
  });
  test("an unknown function", () => {
    expect(() => fitMixedModel(rows, "y ~ lg(x)")).toThrow(/unknown function "lg"/);
  });
  test("a score outside (0, 1), with its row", () => {
    const bad = rows.map((row, i) => (i === 7 ? { ...row, y: 1 } : row));
    const fit = (): MixedModelFit => fitMixedModel(bad, "y ~ x");
    expect(fit).toThrow(TableError);
    expect(fit).toThrow(
      expect.objectContaining({ row: 7, column: "y", message: expect.stringContaining("row 8") }),
    );
  });
  test("a value that an expression can't take, with its row", () => {
    const bad = rows.map((row, i) => (i === 3 ? { ...row, x: -1 } : row));
    expect(() => fitMixedModel(bad, "y ~ log(x)")).toThrow(/row 4: log\(x\) is NaN/);
  });
  test("labels where numbers are needed", () => {
    expect(() => fitMixedModel(rows, "y ~ I(g^2)")).toThrow(/column "g" holds labels \(row 1: "g0"\)/);
  });
  test("a single group, and more effects than rows", () => {
    const one = rows.map((row) => ({ ...row, g: "only" }));
    expect(() => fitMixedModel(one, "y ~ x + (1 | g)")).toThrow(/g has one group/);
    const each = rows.map((row, i) => ({ ...row, g: i }));
    expect(() => fitMixedModel(each, "y ~ x + (1 | g)", { family: "gaussian" })).toThrow(FitError);
    expect(() => fitMixedModel(rows.slice(0, 2), "y ~ x")).toThrow(/need more than 2 rows/);
  });
  test("REML for the beta family, an empty table", () => {
    expect(() => fitMixedModel(rows, "y ~ x", { reml: true })).toThrow(/REML is for the Gaussian/);
    expect(() => fitMixedModel([], "y ~ x")).toThrow(/no rows/);
  });
});

describe("diagnostics", () => {
  const codes = (fit: MixedModelFit): string[] => fit.diagnostics.map(({ code }) => code);

  test("rows with a missing cell are counted", () => {
    const rows = rowsOf(2).map((row, i) => (i < 3 ? { ...row, x: "NA" } : row));
    const fit = fitMixedModel(rows, "y ~ x + (1 | g)");
    expect(fit.observations).toBe(45);
    expect(codes(fit)).toContain("dropped-rows");
  });

  test("a column that others determine is left out and named", () => {
    const rows = rowsOf(2).map((row) => ({ ...row, x2: 3 - 2 * Number(row.x) }));
    const fit = fitMixedModel(rows, "y ~ x + x2 + (1 | g)");
    expect(fit.aliased).toEqual(["x2"]);
    expect(codes(fit)).toContain("aliased");
  });

  test("groups that don't differ make a singular fit", () => {
    const rows = rowsOf(2).map((row, i) => ({
      ...row,
      g: `g${Math.floor(i / 2) % 6}`,
      y: 0.3 + 0.4 * ((i % 2) + 0.01 * (i % 5)),
    }));
    const fit = fitMixedModel(rows, "y ~ x + (1 | g)");
    expect(fit.singular).toBe(true);
    expect(fit.diagnostics.find(({ code }) => code === "singular")?.message).toMatch(
      /standard deviation of \(Intercept\) is estimated at zero/,
    );
    expect(fit.coefficients.every(({ standardError }) => standardError > 0)).toBe(true);
  });

  test("scores that the model fits exactly", () => {
    const rows = rowsOf(2).map((row) => ({ ...row, y: 2 + 3 * Number(row.x) }));
    expect(codes(fitMixedModel(rows, "y ~ x", { family: "gaussian" }))).toContain("dispersion-boundary");
  });
});
