import { describe, expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import type { MixedModelFit } from "../mixed/fit.ts";
import { fitMixedModel } from "../mixed/model.ts";
import { randomSource } from "../random.ts";
import { plwOfWp, wpOfPlw } from "./plw.ts";
import { quadraticEffect } from "./quadratic-effect.ts";

const plws = [0, 5e-4, 2.236e-3, 1e-2, 2.463e-2, 5e-2, 0.1, 0.2463, 0.5, 1];

/** Scores of 2 models on 6 benchmarks at ten PLWs, logit mean b0 + b1 wp + b2 wp². */
function study(seed: number, b: readonly [number, number, number], phi = 40): Row[] {
  const random = randomSource(seed);
  return Array.from({ length: 6 }, (_, k) => 0.4 * random.normal() + (k % 2) * 0.1).flatMap((shift, k) =>
    ["m1", "m2"].flatMap((model) =>
      plws.map((plw) => {
        const wp = wpOfPlw(plw);
        const mu = 1 / (1 + Math.exp(-(b[0] + shift + b[1] * wp + b[2] * wp * wp)));
        return {
          benchmark: `b${k}`,
          kind: k % 2 ? "long" : "short",
          model,
          wp,
          score: random.beta(mu * phi, (1 - mu) * phi),
        };
      }),
    ),
  );
}

const formula = "score ~ wp + wp^2 + (1 | benchmark)";
function fitOf(b: readonly [number, number, number], seed = 7): MixedModelFit {
  return fitMixedModel(study(seed, b), formula);
}

test("w_p halves where PLW falls to a tenth, and the map turns back", () => {
  expect(wpOfPlw(0.1)).toBeCloseTo(0.5, 6);
  for (const plw of plws) expect(plwOfWp(wpOfPlw(plw))).toBeCloseTo(plw, 12);
});

describe("the paper's curve, −4.284 (w_p − 0.652)² + 0.781", () => {
  const fit = fitOf([-1.04, 5.586, -4.284]);
  const effect = quadraticEffect(fit, { bootstrap: { replicates: 100, seed: 3 } });

  test("is found again, with intervals that hold its vertex", () => {
    expect(effect.kind).toBe("maximum");
    expect(effect.vertex.lower).toBeLessThan(0.652);
    expect(effect.vertex.upper).toBeGreaterThan(0.652);
    expect(effect.plwInterval!.lower).toBeLessThan(0.242);
    expect(effect.plwInterval!.upper).toBeGreaterThan(0.242);
    expect(effect.bootstrap!.plw.lower).toBeLessThan(effect.best!.plw);
    expect(effect.bootstrap!.plw.upper).toBeGreaterThan(effect.best!.plw);
    expect(effect.best!.plw).toBeCloseTo(plwOfWp(effect.vertex.wp), 12);
    expect(effect.sentence).toMatch(/the score is highest at PLW 0\.2\d+ .* by the parametric bootstrap/);
  });

  test("the delta method is the slope of the vertex times the covariance", () => {
    const [, b1, b2] = fit.coefficients.map(({ estimate }) => estimate) as [number, number, number];
    const vertex = (x: number, y: number): number => -x / (2 * y);
    const h = 1e-6;
    const g = [
      (vertex(b1 + h, b2) - vertex(b1 - h, b2)) / (2 * h),
      (vertex(b1, b2 + h) - vertex(b1, b2 - h)) / (2 * h),
    ];
    const c = fit.covariance;
    const variance = g[0]! ** 2 * c[1]![1]! + 2 * g[0]! * g[1]! * c[1]![2]! + g[1]! ** 2 * c[2]![2]!;
    expect(effect.vertex.wp).toBeCloseTo(vertex(b1, b2), 12);
    // Central differences are right to about h² and rounding over h.
    expect(effect.vertex.standardError / Math.sqrt(variance)).toBeCloseTo(1, 7);
  });

  test("both kinds of interval agree where the vertex is well determined", () => {
    const delta = effect.vertex.upper - effect.vertex.lower;
    const boot = effect.bootstrap!.wp.upper - effect.bootstrap!.wp.lower;
    // A percentile interval of 100 refits is itself uncertain by a quarter or so.
    expect(boot / delta).toBeGreaterThan(0.6);
    expect(boot / delta).toBeLessThan(1.6);
    expect(effect.bootstrap!.wp).toMatchObject({ replicates: 100, failed: 0, inside: 1 });
  });

  test("the same seed gives the same interval, another seed another", () => {
    const again = quadraticEffect(fit, { bootstrap: { replicates: 100, seed: 3 } });
    const other = quadraticEffect(fit, { bootstrap: { replicates: 100, seed: 4 } });
    expect(again.bootstrap).toEqual(effect.bootstrap);
    expect(other.bootstrap).not.toEqual(effect.bootstrap);
  });
});

test("no relation is said as plainly", () => {
  const effect = quadraticEffect(fitOf([0.3, 0, 0]));
  expect(effect.kind).toBe("none");
  expect(effect.best).toBeUndefined();
  expect(effect.sentence).toMatch(/^no significant relation between the score and wp .* name no best PLW\.$/);
});

test("a minimum is no best value", () => {
  const effect = quadraticEffect(fitOf([0.5, -4, 4]));
  expect(effect.kind).toBe("minimum");
  expect(effect.plwInterval).toBeUndefined();
  expect(effect.sentence).toMatch(/has a minimum, not a maximum/);
});

test.each([
  [[-1, 1.5, 0], 1, /rises with wp over the whole range \(no significant curvature/],
  [[1, -1.5, 0], 0, /falls with wp over the whole range \(no significant curvature/],
  [[-1, 4, -1.3], 1, /rises with wp .* lies outside \[0, 1\]/],
] as const)("a course without a vertex inside: %j", (b, end, message) => {
  const effect = quadraticEffect(fitOf(b));
  expect(effect.kind).toBe("monotone");
  expect(effect.best!.plw).toBe(end);
  expect(effect.sentence).toMatch(message);
});

describe("interactions", () => {
  const rows = study(5, [-1, 5, -4]);
  const fit = fitMixedModel(rows, "score ~ (wp + wp^2) * kind + (1 | benchmark)");

  test("ask which group is meant, and answer for it", () => {
    expect(() => quadraticEffect(fit)).toThrow(/the effect of wp differs by kind/);
    const short = quadraticEffect(fit, { at: { kind: "short" } });
    const long = quadraticEffect(fit, { at: { kind: "long" } });
    const sum = (a: string, b: string): number =>
      fit.coefficients
        .filter(({ name }) => name === a || name === b)
        .reduce((s, { estimate }) => s + estimate, 0);
    // Levels sort: "long" is the base.
    expect(long.linear.estimate).toBeCloseTo(sum("wp", "wp"), 9);
    expect(short.linear.estimate).toBeCloseTo(sum("wp", "wp:kindshort"), 9);
    expect(short.sentence).toMatch(/^For kind short: /);
  });

  test("a column that doesn't interact needs no value", () => {
    const effect = quadraticEffect(fitMixedModel(rows, "score ~ wp + wp^2 + kind + (1 | benchmark)"));
    expect(effect.kind).toBe("maximum");
  });

  test("scale( ) and I( ) give the same vertex", () => {
    const plain = quadraticEffect(fitMixedModel(rows, formula));
    const scaled = quadraticEffect(
      fitMixedModel(rows, "score ~ scale(wp) + I(scale(wp)^2) + (1 | benchmark)"),
    );
    expect(scaled.vertex.wp).toBeCloseTo(plain.vertex.wp, 6);
    expect(scaled.vertex.standardError).toBeCloseTo(plain.vertex.standardError, 6);
  });
});

test("Gaussian models, REML too", () => {
  const rows = study(7, [-1.04, 5.586, -4.284]);
  const options = { bootstrap: { replicates: 60, seed: 2 } };
  const ml = quadraticEffect(fitMixedModel(rows, formula, { family: "gaussian" }), options);
  const reml = quadraticEffect(fitMixedModel(rows, formula, { family: "gaussian", reml: true }), options);
  expect(ml.vertex.wp).toBeCloseTo(reml.vertex.wp, 3);
  for (const { vertex, bootstrap } of [ml, reml]) {
    expect(bootstrap!.wp.failed).toBe(0);
    expect(bootstrap!.wp.lower).toBeLessThan(vertex.wp);
    expect(bootstrap!.wp.upper).toBeGreaterThan(vertex.wp);
  }
});

describe("refuses", () => {
  const rows = study(5, [-1, 5, -4]);
  test.each([
    ["score ~ wp + (1 | benchmark)", "wp", /no square of wp/],
    ["score ~ wp + wp^2 + I(wp^3)", "wp", /no quadratic in wp/],
    ["score ~ wp + wp^2", "w", /unknown column "w"/],
  ])("%s by %s", (bad, variable, message) => {
    expect(() => quadraticEffect(fitMixedModel(rows, bad), { variable })).toThrow(message);
  });
  test("a level or a count out of range", () => {
    const fit = fitMixedModel(rows, formula);
    expect(() => quadraticEffect(fit, { level: 95 })).toThrow(/level must lie between 0 and 1/);
    expect(() => quadraticEffect(fit, { bootstrap: { replicates: 0 } })).toThrow(/replicates/);
    expect(() => quadraticEffect(fit, { bootstrap: { replicates: 5 } })).toThrow(/too few for an interval/);
  });
});
