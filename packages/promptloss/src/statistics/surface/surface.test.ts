import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { sharedPath } from "../../../test/shared.ts";
import type { Row } from "../design/table.ts";
import { plwOfWp } from "../effect/plw.ts";
import { sparseDesign } from "../engine/latent.ts";
import { ExtrapolationError } from "../errors.ts";
import { familyNamed } from "../family/index.ts";
import { randomSource } from "../random.ts";
import { bestPlwAt, surfaceAt } from "./best.ts";
import { PenalizedLikelihood } from "./penalized-likelihood.ts";
import { cubicSpline } from "./spline.ts";
import { fitSurface, type ResponseSurface, type SurfaceOptions } from "./surface.ts";

interface GoldenSurface {
  edf: number;
  phi?: number;
  sigma?: number;
  link: number[];
  linkSe: number[];
}

const goldens = JSON.parse(readFileSync(new URL("../goldens/surface.json", import.meta.url), "utf8")) as {
  data: Row[];
  grid: { w: number; lrg: number }[];
  surfaces: Record<string, GoldenSurface>;
};

describe("what mgcv says of this project's own data", () => {
  const options: Record<string, SurfaceOptions> = {
    plain: {},
    wide: { knots: [6, 4] },
    grouped: { groups: ["model"] },
    gaussian: { family: "gaussian" },
  };
  test.each(Object.entries(goldens.surfaces))("%s", (name, golden) => {
    const surface = fitSurface(goldens.data, { wp: "w", ...options[name] });
    // One penalty's best value is infinite here: mgcv and we stop at different large ones, where the score is flat.
    expect(surface.effectiveDegreesOfFreedom).toBeCloseTo(golden.edf, 2);
    expect(surface.dispersion / (golden.phi ?? golden.sigma!)).toBeCloseTo(1, 4);
    for (const [i, { w, lrg }] of goldens.grid.entries()) {
      const { linear, standardError } = surfaceAt(surface, w, Math.exp(lrg));
      expect(Math.abs(linear - golden.link[i]!)).toBeLessThan(1e-4);
      expect(standardError / golden.linkSe[i]!).toBeCloseTo(1, 2);
    }
    expect(surface.converged).toBe(true);
  });
});

describe("the reference surfaces", () => {
  const reference = sharedPath("reference", "glmm");
  needs("shared", reference).test("four of mgcv's", () => {
    for (const file of [1, 2, 3, 4]) {
      const { gam } = JSON.parse(readFileSync(`${reference}/glmm-${file}.json`, "utf8"));
      const surface = fitSurface(gam.data, { wp: "w" });
      expect(surface.effectiveDegreesOfFreedom).toBeCloseTo(gam.edf, 4);
      const [, top] = surface.range.rg;
      for (const [i, { w, lrg }] of gam.grid.entries()) {
        const rg = Math.exp(lrg);
        // The last row of their grid, Rg 8, lies beyond the data, which end at 7.83.
        if (rg > top) expect(() => surfaceAt(surface, w, rg)).toThrow(ExtrapolationError);
        // Both stop within about 1e-6 of the best smoothness; scores are of order 1.
        else expect(Math.abs(surfaceAt(surface, w, rg).mean - gam.pred[i])).toBeLessThan(1e-6);
      }
      for (const { rg, w } of Object.values(gam.argmax) as { rg: number; w: number }[]) {
        // Their grid of w has steps of 0.05, so that its best is within half a step of ours.
        if (rg <= top) expect(Math.abs(bestPlwAt(surface, rg, { draws: 100 }).wp - w)).toBeLessThan(0.0275);
      }
    }
  });
});

/** A surface whose best w_p is 0.4 + 0.1 log Rg, with no noise to speak of. */
function clean(seed: number, height = 4): Row[] {
  const random = randomSource(seed);
  return [0.1, 0.3, 0.7, 1.5, 3, 6].flatMap((rg) =>
    Array.from({ length: 11 }, (_, i) => {
      const wp = i / 10;
      const mu = 1 / (1 + Math.exp(height * (wp - 0.4 - 0.1 * Math.log(rg)) ** 2 - 0.5));
      return { wp, rg, score: random.beta(2000 * mu, 2000 * (1 - mu)) };
    }),
  );
}

describe("the best PLW for a ratio", () => {
  const surface = fitSurface(clean(1));

  test.each([0.2, 1, 4])("at Rg %d is the true one, inside its interval", (rg) => {
    const truth = 0.4 + 0.1 * Math.log(rg);
    const best = bestPlwAt(surface, rg);
    expect(Math.abs(best.wp - truth)).toBeLessThan(0.03);
    expect(best.interval.wp.lower).toBeLessThanOrEqual(best.wp);
    expect(best.interval.wp.upper).toBeGreaterThanOrEqual(best.wp);
    expect(best.interval.wp.upper - best.interval.wp.lower).toBeLessThan(0.2);
    expect(best.plw).toBe(plwOfWp(best.wp));
    expect(best.sentence).toMatch(/the fitted surface is highest at PLW .*: a description, no claim\.$/);
    expect(bestPlwAt(surface, rg)).toEqual(best);
  });

  test("a flat surface is highest anywhere", () => {
    const flat = bestPlwAt(fitSurface(clean(2, 0)), 1);
    expect(flat.interval.wp.upper - flat.interval.wp.lower).toBeGreaterThan(0.5);
  });

  test("outside the data it is refused, with the range", () => {
    expect(() => bestPlwAt(surface, 8)).toThrow(/Rg = 8 lies outside the data, which cover 0.1 to 6/);
    expect(() => surfaceAt(surface, 1.2, 1)).toThrow(ExtrapolationError);
    expect(() => bestPlwAt(surface, 0.05)).toThrow(ExtrapolationError);
  });
});

test("the surface doesn't depend on the order of the rows", () => {
  const rows = clean(3);
  const at = (surface: ResponseSurface): number => surfaceAt(surface, 0.37, 0.9).linear;
  expect(at(fitSurface([...rows].reverse()))).toBeCloseTo(at(fitSurface(rows)), 5);
});

test("a spline is its own interpolant, straight at the ends, with lines unpenalized", () => {
  const knots = [0, 0.1, 0.35, 0.6, 1];
  const spline = cubicSpline(knots, 5);
  expect(spline.knots).toEqual(knots);
  // Coefficients that give x itself reproduce every line.
  const basis = knots.map((x) => [...spline.basis(x)]);
  const line = (x: number): number => 2 - 3 * x;
  // The basis at the knots is orthogonal, so its transpose solves for coefficients.
  const coefficients = basis[0]!.map((_, k) => knots.reduce((sum, x, i) => sum + basis[i]![k]! * line(x), 0));
  const penalty = coefficients.reduce((sum, c, k) => sum + spline.penalty[k]! * c * c, 0);
  expect(penalty).toBeLessThan(1e-20);
  for (const x of [0.05, 0.2, 0.5, 0.77]) {
    const value = spline.basis(x).reduce((sum, b, k) => sum + b * coefficients[k]!, 0);
    expect(value).toBeCloseTo(line(x), 10);
  }
});

test("the restricted likelihood's gradient is that of its value", () => {
  const random = randomSource(9);
  const columns = Array.from({ length: 6 }, () => Float64Array.from({ length: 30 }, () => random.normal()));
  const penalties = [Float64Array.of(0, 0, 1, 1, 0.3, 0), Float64Array.of(0, 1, 0, 0.2, 1, 0)];
  const y = Float64Array.from({ length: 30 }, () => random.beta(4, 3));
  const likelihood = new PenalizedLikelihood({
    family: familyNamed("beta"),
    y,
    design: sparseDesign(columns, 30),
    penalties,
  });
  const log = fc.double({ min: -3, max: 5, noNaN: true });
  fc.assert(
    fc.property(log, log, fc.double({ min: 0, max: 4, noNaN: true }), (...point) => {
      const { gradient } = likelihood.evaluate(Float64Array.from(point))!;
      for (const k of [0, 1, 2]) {
        const [ahead, behind] = [1e-4, -1e-4].map((h) => {
          const moved = Float64Array.from(point);
          moved[k]! += h;
          return likelihood.evaluate(moved)!.logLik;
        });
        expect(Math.abs((ahead! - behind!) / 2e-4 - gradient[k]!)).toBeLessThan(
          1e-5 * (1 + Math.abs(gradient[k]!)),
        );
      }
    }),
    { numRuns: 20 },
  );
});

describe("bad input is refused with its place", () => {
  const rows = clean(4);
  const changed = (change: Row): Row[] => rows.map((row, i) => (i === 2 ? { ...row, ...change } : row));
  test.each([
    [changed({ rg: 0 }), /row 3: rg 0 is no generation ratio/],
    [changed({ wp: 1.5 }), /row 3: wp 1.5 is not in \[0, 1\]/],
    [changed({ score: 1 }), /row 3: score 1 is not strictly between/],
    [changed({ score: "x" }), /row 3: score "x" is no number/],
    [changed({ score: null }), /row 3: score is missing/],
    [rows.filter(({ rg }) => Number(rg) < 1), /needs 4 different values of log rg at least; the data have 3/],
  ])("case %#", (bad, message) => {
    expect(() => fitSurface(bad)).toThrow(message);
  });
  test("unknown columns", () => {
    expect(() => fitSurface(rows, { wp: "w" })).toThrow(/unknown column "w"/);
    expect(() => fitSurface(rows, { groups: ["model"] })).toThrow(/unknown column "model"/);
  });
});
