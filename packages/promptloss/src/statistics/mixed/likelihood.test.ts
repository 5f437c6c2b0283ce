import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelFrame } from "../design/model-frame.ts";
import { orthogonalize } from "../design/orthogonalize.ts";
import { type Row, tableFromRows } from "../design/table.ts";
import type { FamilyName } from "../family/family.ts";
import { familyNamed } from "../family/index.ts";
import { readFormula } from "../formula/terms.ts";
import { randomSource } from "../random.ts";
import { lgamma } from "../special.ts";
import { blocks } from "./blocks.ts";
import { MixedLikelihood } from "./likelihood.ts";

function rowsOf(seed: number, groups: number, perGroup: number): Row[] {
  const random = randomSource(seed);
  return Array.from({ length: groups * perGroup }, (_, i) => {
    const x = random.uniform();
    const g = i % groups;
    const shift = Math.sin(7 * g);
    return {
      g: `g${g}`,
      h: `h${Math.floor(i / groups) % 3}`,
      x,
      y: random.beta(3 * Math.exp(0.3 * shift + x), 3),
    };
  });
}

function likelihoodOf(
  rows: readonly Row[],
  formula: string,
  name: FamilyName,
  reml = false,
): MixedLikelihood {
  const frame = modelFrame(readFormula(formula), tableFromRows(rows));
  return new MixedLikelihood({
    family: familyNamed(name),
    y: frame.response,
    fixed: orthogonalize(frame.fixed),
    blocks: blocks(frame.random),
    reml,
  });
}

describe("the gradient is that of the likelihood", () => {
  const formulas = [
    "y ~ x + (1 | g)",
    "y ~ x + (1 + x | g) + (1 | h)",
    "y ~ x + (1 + x || g)",
    "y ~ x + (x | g/h)",
  ];
  test.each(
    formulas.flatMap((formula) => [
      [formula, "beta", false] as const,
      [formula, "gaussian", false] as const,
      [formula, "gaussian", true] as const,
    ]),
  )("%s, %s, REML %s", (formula, name, reml) => {
    const likelihood = likelihoodOf(rowsOf(3, 4, 9), formula, name, reml);
    const { length, tau } = likelihood.layout;
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length }),
        (start) => {
          const parameters = Float64Array.from(start);
          parameters[tau]! += name === "beta" ? 2 : -1;
          const at = likelihood.evaluate(parameters);
          if (at === undefined) return;
          for (let k = 0; k < length; k++) {
            const [ahead, behind] = [1e-4, -1e-4].map((h) => {
              const moved = Float64Array.from(parameters);
              moved[k]! += h;
              return likelihood.evaluate(moved)!.logLik;
            });
            // The difference itself is right to about 1e-8 of the curvature, here up to a few thousand.
            const difference = (ahead! - behind!) / 2e-4;
            expect(Math.abs(difference - at.gradient[k]!)).toBeLessThan(
              1e-4 * (1 + Math.abs(at.gradient[k]!)),
            );
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("against brute-force integration over the random intercept", () => {
  // Marginal log-likelihood by the trapezoidal rule on ±10 deviations, group by group: slow, and plainly the integral.
  function bruteForce(
    rows: readonly Row[],
    beta: number[],
    sd: number,
    tau: number,
    name: FamilyName,
  ): number {
    let total = 0;
    for (const group of new Set(rows.map(({ g }) => g))) {
      const members = rows.filter(({ g }) => g === group);
      const steps = 2000;
      const terms: number[] = [];
      for (let s = 0; s <= steps; s++) {
        const u = -10 + (20 * s) / steps;
        let log = -0.5 * u * u - 0.5 * Math.log(2 * Math.PI) + Math.log(20 / steps);
        for (const { x, y } of members) {
          log += logDensity(name, Number(y), beta[0]! + beta[1]! * Number(x) + sd * u, tau);
        }
        terms.push(log);
      }
      const top = Math.max(...terms);
      total += top + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - top), 0));
    }
    return total;
  }

  /** From the textbook formulae, apart from the families' own code. */
  function logDensity(name: FamilyName, y: number, eta: number, tau: number): number {
    if (name === "gaussian")
      return -0.5 * Math.log(2 * Math.PI) - tau - 0.5 * ((y - eta) / Math.exp(tau)) ** 2;
    const phi = Math.exp(tau);
    const mu = Math.exp(eta) / (1 + Math.exp(eta));
    const constant = lgamma(phi) - lgamma(mu * phi) - lgamma((1 - mu) * phi);
    return constant + (mu * phi - 1) * Math.log(y) + ((1 - mu) * phi - 1) * Math.log(1 - y);
  }

  function both(rows: readonly Row[], name: FamilyName): [number, number] {
    const likelihood = likelihoodOf(rows, "y ~ x + (1 | g)", name);
    const coefficients = [0.2, 0.7];
    const tau = name === "beta" ? 1.8 : -1.5;
    const sd = 0.6;
    // β = T γ with T upper triangular.
    const [[a, b], [, d]] = likelihood.problem.fixed.transform as [[number, number], [number, number]];
    const second = coefficients[1]! / d;
    const first = (coefficients[0]! - b * second) / a;
    const { logLik } = likelihood.evaluate(Float64Array.of(first, second, sd, tau))!;
    return [logLik, bruteForce(rows, coefficients, sd, tau, name)];
  }

  test("the Gaussian's is exact", () => {
    const [laplace, exact] = both(rowsOf(5, 4, 6), "gaussian");
    // The trapezoidal rule is exact to rounding for a Gaussian integrand this wide.
    expect(Math.abs(laplace - exact)).toBeLessThan(1e-9 * Math.abs(exact));
  });

  test("the beta's error is small and falls with the size of the groups", () => {
    const errors = [4, 12, 48].map((perGroup) => {
      const [laplace, exact] = both(rowsOf(5, 4, perGroup), "beta");
      return Math.abs(laplace - exact) / 4;
    });
    // The approximation's error in a group of m is of order 1/m (Tierney and Kadane 1986); four scores a group is few.
    expect(errors[0]).toBeLessThan(0.02);
    expect(errors[1]).toBeLessThan(errors[0]!);
    expect(errors[2]).toBeLessThan(errors[0]! / 4);
  });
});
