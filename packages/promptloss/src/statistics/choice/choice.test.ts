import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomSource } from "../random.ts";
import { choose, pointsOver } from "./choose.ts";
import { floored, type Observation } from "./observations.ts";
import { posterior } from "./posterior.ts";
import { flatPrior, priorFor } from "./prior.ts";
import { normalizationNames, plwOfShare, promptShare } from "./prompt-share.ts";
import { heightOf, type Shape } from "./shapes.ts";
import { taskGroups } from "./task-groups.ts";

const WPS = [0, 0.125, 0.25, 0.4, 0.5, 0.652, 0.8, 0.9, 1];
const points = pointsOver(WPS, [undefined]);

/** Runs at some w_p of a course, with noise of a standard deviation. */
function runs(course: (wp: number) => number, at: readonly number[], noise: number, seed = 1): Observation[] {
  const random = randomSource(seed);
  return at.map((wp) => ({ wp, score: course(wp) + noise * random.normal() }));
}

function choiceOf(observations: readonly Observation[], prior = priorFor({ generationRatio: 0.08 })) {
  const found = posterior(points, observations, { prior, draws: 1000 });
  return { ...choose(found, { tolerance: 0.1 * found.span }), noise: found.noise, span: found.span };
}

describe("shapes", () => {
  test("fall by at most 1 over [0, 1], and are highest where they say", () => {
    const shapes: Shape[] = [
      { kind: "peak", peak: 0 },
      { kind: "peak", peak: 0.3 },
      { kind: "peak", peak: 1 },
      { kind: "saturating", rise: 0.15 },
      { kind: "flat" },
    ];
    for (const shape of shapes) {
      const heights = Array.from({ length: 101 }, (_, i) => heightOf(shape, i / 100));
      expect(Math.max(...heights)).toBeCloseTo(0, 12);
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(-1 - 1e-12);
    }
    expect(heightOf({ kind: "saturating", rise: 0.15 }, 0)).toBe(-1);
  });
});

describe("the prompt's share", () => {
  test("of one divisor for all tokens, of segments, of loss-share", () => {
    expect(promptShare(0.242, 0.08, "weight-sum")).toBeCloseTo(0.242 / 0.322, 12);
    expect(promptShare(0.5, 3, "active-count")).toBe(promptShare(0.5, 3, "weight-sum"));
    expect(promptShare(0.5, 3, "segment-mean")).toBeCloseTo(1 / 3, 12);
    expect(promptShare(0.5, 3, "loss-share")).toBe(0.5);
    expect(() => promptShare(0.5, 3, "mean" as "all-mean")).toThrow(/unknown normalization "mean"/);
  });

  test("a share's weight has that share", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.constantFrom(...normalizationNames),
        (share, ratio, name) => {
          expect(promptShare(plwOfShare(share, ratio, name), ratio, name)).toBeCloseTo(share, 9);
        },
      ),
    );
  });
});

describe("the prior", () => {
  test("is a distribution, for every question", () => {
    for (const generationRatio of [undefined, 1e-3, 0.08, 1, 100])
      for (const taskGroup of [undefined, ...taskGroups])
        for (const normalization of normalizationNames) {
          const { parts } = priorFor({ generationRatio, taskGroup, normalization, parameters: 1e6 });
          expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
          expect(parts.every(({ weight }) => weight >= 0)).toBe(true);
        }
  });

  test("is continuous in log Rg, at 1 as elsewhere", () => {
    for (const ratio of [0.08, 0.5, 0.8, 1, 1.25, 2, 10]) {
      const near = priorFor({ generationRatio: ratio * 1.0001 }).parts;
      priorFor({ generationRatio: ratio }).parts.forEach(({ weight }, i) => {
        // A change of 1e-4 in log Rg may change no weight by more than a few times that.
        expect(Math.abs(weight - near[i]!.weight)).toBeLessThan(1e-3);
      });
    }
  });

  test("is wider with the distance in log Rg, another normalization, another size", () => {
    const sd = (question: Parameters<typeof priorFor>[0]): number => priorFor(question).sd;
    const base = sd({ generationRatio: 0.08 });
    expect(sd({ generationRatio: 0.8 })).toBeGreaterThan(base);
    expect(sd({ generationRatio: 8 })).toBeGreaterThan(sd({ generationRatio: 0.8 }));
    expect(sd({ generationRatio: 0.008 })).toBeCloseTo(sd({ generationRatio: 0.8 }), 12);
    expect(sd({ generationRatio: undefined })).toBeGreaterThanOrEqual(sd({ generationRatio: 7.83 }));
    expect(sd({ generationRatio: 0.08, normalization: "segment-mean" })).toBeGreaterThan(base);
    expect(sd({ generationRatio: 0.08, normalization: "completion-count" })).toBe(base);
    expect(sd({ generationRatio: 0.08, parameters: 15e6 })).toBeGreaterThan(base);
  });

  test("expects the weight that gives the prompt the same share in another normalization", () => {
    // 0.242 at Rg 0.08 gives the prompt 75 % of the token weight, which is the weight itself in loss-share.
    const { center } = priorFor({ generationRatio: 0.08, normalization: "loss-share" });
    expect(center).toBeCloseTo((0.242 / 0.322) ** 0.30103, 9);
  });

  test("refuses what is no question", () => {
    expect(() => priorFor({ generationRatio: 0 })).toThrow(/must be a positive number/);
    expect(() => priorFor({ generationRatio: 1, taskGroup: "chat" as "long-generation" })).toThrow(
      /unknown task group/,
    );
    expect(() => priorFor({ generationRatio: 1, parameters: 0 })).toThrow(/positive number of parameters/);
  });
});

describe("the posterior", () => {
  test("without runs is the prior: the paper's weight is best at its own ratio", () => {
    const { best, noise } = choiceOf([]);
    expect([WPS[best], noise]).toEqual([0.652, undefined]);
  });

  test("follows many precise runs wherever they lead", () => {
    for (const [peak, prior] of [0, 0.25, 0.5, 0.9, 1].flatMap((peak) =>
      [priorFor({ generationRatio: 0.08 }), flatPrior].map((prior) => [peak, prior] as const),
    )) {
      const { best, candidates } = choiceOf(
        runs((wp) => -((wp - peak) ** 2), [...WPS, ...WPS], 0.002),
        prior,
      );
      expect(Math.abs(WPS[best]! - peak)).toBeLessThanOrEqual(0.1);
      // The curvature is 1: a step of 0.1 costs 0.01.
      expect(candidates[best]!.expectedRegret).toBeLessThan(0.01);
    }
  });

  test("learns the noise from replicates", () => {
    const { noise } = choiceOf(runs((wp) => wp, [...WPS, ...WPS, ...WPS, ...WPS], 0.05));
    // 36 runs: a standard error of 0.006, and the curve's own freedom.
    expect(noise).toBeGreaterThan(0.035);
    expect(noise).toBeLessThan(0.07);
    const told = posterior(
      points,
      runs((wp) => wp, [0, 1], 0),
      {
        prior: flatPrior,
        noise: { sd: 0.2, df: 50 },
      },
    );
    expect(told.noise).toBeGreaterThan(0.15);
    expect(told.noise).toBeLessThan(0.3);
  });

  test("does not depend on the scores' unit, nor on their level", () => {
    const observed = runs((wp) => 0.1 * wp, [0, 0.25, 0.652, 1, 0.652], 0.01);
    const scaled = observed.map(({ wp, score }) => ({ wp, score: 1000 * score - 50 }));
    const [a, b] = [choiceOf(observed), choiceOf(scaled)];
    expect(b.best).toBe(a.best);
    a.candidates.forEach(({ expectedRegret, probabilityBest }, i) => {
      expect(b.candidates[i]!.expectedRegret).toBeCloseTo(1000 * expectedRegret, 6);
      expect(b.candidates[i]!.probabilityBest).toBeCloseTo(probabilityBest, 6);
    });
  });

  test("takes each block's level out", () => {
    const observed = runs((wp) => -((wp - 0.25) ** 2), [...WPS, ...WPS], 0.002);
    const blocks = observed.map((each, i) => ({ ...each, block: i < WPS.length ? "a" : "b" }));
    const apart = blocks.map((each) => ({ ...each, score: each.score + (each.block === "b" ? 7 : 0) }));
    const [a, b] = [choiceOf(blocks), choiceOf(apart)];
    expect(b.best).toBe(a.best);
    // Up to rounding, which the 7 of the level costs digits of.
    expect(b.candidates[0]!.expectedRegret).toBeCloseTo(a.candidates[0]!.expectedRegret, 4);
  });

  test("a run at another generation ratio says less", () => {
    const course = (wp: number): number => -((wp - 0.125) ** 2);
    const at = [0, 0.125, 0.5, 1, 0.125, 0.5];
    const regret = (logRatio: number): number => {
      const observed = runs(course, at, 0.01).map((run) => ({ ...run, logRatio, block: `${logRatio}` }));
      const there = points.map((point) => ({ ...point, logRatio: 0 }));
      const found = posterior(there, observed, { prior: flatPrior });
      return Math.min(...choose(found, { tolerance: 0 }).candidates.map((each) => each.expectedRegret));
    };
    expect(regret(2)).toBeGreaterThan(1.5 * regret(0));
  });

  test("finds the pair of weight and learning rate", () => {
    const rates = [-4, -3.5, -3];
    const grid = pointsOver(WPS, rates);
    // At a higher rate the best weight is higher; the best pair is (0.652, -3.5).
    const score = (wp: number, rate: number): number =>
      -((wp - 0.652 - 0.5 * (rate + 3.5)) ** 2) - 2 * (rate + 3.5) ** 2;
    const random = randomSource(4);
    const observed = rates.flatMap((logRate) =>
      [0, 0.4, 0.652, 1].map((wp) => ({ wp, logRate, score: score(wp, logRate) + 0.005 * random.normal() })),
    );
    const { best } = choose(posterior(grid, observed, { prior: flatPrior }), { tolerance: 0 });
    expect(grid[best]!.logRate).toBe(-3.5);
    expect(Math.abs(grid[best]!.wp - 0.652)).toBeLessThanOrEqual(0.16);
  });

  test("takes replicates by their mean, exactly", () => {
    const observed = runs((wp) => wp, [0, 0.25, 0.652, 0.652, 0.652, 1], 0.1);
    // The same places but for rounding, so that no two are one.
    const apart = observed.map((each, i) => ({ ...each, wp: Math.min(1, each.wp + 1e-9 * i) }));
    const [a, b] = [choiceOf(observed), choiceOf(apart)];
    for (const [i, { mean }] of a.candidates.entries()) expect(b.candidates[i]!.mean).toBeCloseTo(mean, 3);
    expect(b.noise).toBeCloseTo(a.noise!, 6);
  });

  test("is the same for the same seed", () => {
    const observed = runs((wp) => wp, [0, 0.5, 1], 0.1);
    expect(choiceOf(observed)).toEqual(choiceOf(observed));
  });

  test("holds where all scores are equal, or there is one run", () => {
    for (const observed of [
      [{ wp: 0.5, score: 3 }],
      [
        { wp: 0, score: 3 },
        { wp: 1, score: 3 },
      ],
    ]) {
      const { candidates, noise } = choiceOf(observed);
      expect(noise).toBeUndefined();
      expect(candidates.every(({ expectedRegret }) => Number.isFinite(expectedRegret))).toBe(true);
    }
    expect(() => choiceOf([{ wp: 2, score: 0 }])).toThrow(/w_p lies in \[0, 1\]/);
    expect(() => choiceOf([{ wp: 0, score: Number.NaN }])).toThrow(/is not finite/);
  });
});

describe("where runs tell nothing apart", () => {
  const before = choiceOf([]);

  test.each([
    ["one run", [[0.5, 3]]],
    [
      "two weights of one score",
      [
        [0, 3],
        [1, 3],
      ],
    ],
    ["one score in a large unit", WPS.map((wp) => [wp, 4e6])],
    ["scores that differ by rounding", WPS.map((wp, i) => [wp, i % 2 ? 0.1 + 0.2 : 0.3])],
    ["diverged runs alone", WPS.map((wp) => [wp, floored(WPS.map(() => Number.NaN))[0]!])],
  ])("%s: the choice is the prior's, and so are regrets, as shares of the gap", (_, observed) => {
    const found = choiceOf(observed.map(([wp, score]) => ({ wp: wp!, score: score! })));
    expect(found).toEqual(before);
    expect(found.candidates[found.best]!.expectedRegret).toBeLessThan(found.span);
  });

  test("a noise that is known gives one score a meaning: what differs is within it", () => {
    const equal = WPS.flatMap((wp) => [1, 2].map(() => ({ wp, score: 0.5 })));
    const noise = { sd: 0.01, df: 10 };
    const found = posterior(points, equal, {
      prior: priorFor({ generationRatio: 0.08 }),
      noise,
      draws: 1000,
    });
    const { best, candidates } = choose(found, { tolerance: 0 });
    expect(found.noise).toBeGreaterThan(0);
    expect(candidates[best]!.expectedRegret).toBeLessThan(0.01);
  });

  test("where they tell a little, regrets are of the size of what was observed", () => {
    const scores = fc.array(fc.double({ min: 0.4, max: 0.6, noNaN: true }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(scores, (values) => {
        const range = Math.max(...values) - Math.min(...values);
        fc.pre(range > 1e-6);
        const { best, candidates } = choiceOf(values.map((score, i) => ({ wp: WPS[i]!, score })));
        expect(candidates[best]!.expectedRegret).toBeLessThan(2 * range);
      }),
      { numRuns: 25 },
    );
  });
});

describe("a choice", () => {
  test("has regrets of 0 or more, probabilities of 1 in all, and the choice within its tolerance", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ wp: fc.constantFrom(...WPS), score: fc.double({ min: -1, max: 1, noNaN: true }) }),
          {
            maxLength: 8,
          },
        ),
        (observed) => {
          const { best, candidates, within, oneMoreRun } = choiceOf(observed);
          const regrets = candidates.map(({ expectedRegret }) => expectedRegret);
          expect(Math.min(...regrets)).toBe(regrets[best]);
          expect(regrets[best]).toBeGreaterThanOrEqual(-1e-9);
          expect(within).toContain(best);
          expect(candidates.reduce((sum, { probabilityBest }) => sum + probabilityBest, 0)).toBeCloseTo(1, 9);
          // One run can't bring more than all knowledge.
          if (oneMoreRun !== undefined) expect(oneMoreRun.gain).toBeLessThan(regrets[best]! * 1.5 + 1e-9);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("expects less from one more run the more there are", () => {
    const course = (wp: number): number => -((wp - 0.5) ** 2);
    const [few, many] = [1, 6].map((times) =>
      choiceOf(runs(course, Array.from({ length: times }, () => [0, 0.25, 0.5, 0.8, 1]).flat(), 0.05)),
    );
    expect(many!.oneMoreRun!.gain).toBeLessThan(few!.oneMoreRun!.gain);
  });

  test("expects the gain that one more run brings", () => {
    // A quadratic of known noise: the gain is measured by drawing the truth from the posterior and running again.
    const observed = runs((wp) => -((wp - 0.5) ** 2), [0, 0.25, 0.652, 1, 0.652, 0.25], 0.05, 3);
    const noise = { sd: 0.05, df: 1000 };
    const found = posterior(points, observed, { prior: flatPrior, noise, draws: 4000 });
    const { best, oneMoreRun } = choose(found, { tolerance: 0 });
    const random = randomSource(9);
    let gained = 0;
    const repeats = 150;
    for (let r = 0; r < repeats; r++) {
      const truth = found.draws[Math.floor(random.uniform() * found.draws.length)]!;
      const score = truth[oneMoreRun!.at]! + noise.sd * random.normal();
      const more = [...observed, { ...points[oneMoreRun!.at]!, score }];
      const after = choose(posterior(points, more, { prior: flatPrior, noise, draws: 400, seed: r }), {
        tolerance: 0,
      });
      gained += (truth[after.best]! - truth[best]!) / repeats;
    }
    // 150 repeats leave a standard error near 0.003; the moment match and the second posterior's 400 draws add theirs.
    expect(Math.abs(gained - oneMoreRun!.gain)).toBeLessThan(0.012);
  });
});

test("diverged runs count as a floor", () => {
  expect(floored([1, Number.NaN, 2])).toEqual([1, 1, 2]);
  expect(floored([10, 9.8, 9.9, -1e6])).toEqual([10, 9.8, 9.9, expect.closeTo(9.6, 9)]);
  expect(floored([Number.NaN])).toEqual([0]);
  expect(floored([1, 1, 0])).toEqual([1, 1, 0]);
});
