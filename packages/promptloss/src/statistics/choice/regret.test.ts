// Simulated regret in short; `npm run bench:tuning` is the long form.
import { expect, test } from "vitest";
import { gate, PAPER_WP } from "../../../../../bench/src/tuning/gate.ts";
import { randomSource } from "../random.ts";
import { choose, pointsOver } from "./choose.ts";
import { posterior } from "./posterior.ts";
import { flatPrior, type Prior, priorFor } from "./prior.ts";

const WPS = [0, 0.125, 0.2, 0.25, 0.31, 0.41, 0.5, 0.565, PAPER_WP, 0.73, 0.81, 0.9, 1];
const points = pointsOver(WPS, [undefined]);

function peak(at: number) {
  return (wp: number): number => -(((wp - at) / Math.max(at, 1 - at)) ** 2);
}
/** With gaps of 1; most of the paper's kind, none at its own place alone. */
const truths = [peak(0.2), peak(0.35), peak(0.5), peak(0.65), peak(0.8), (wp: number) => wp];

test("a choice by expected regret costs less than a gate, a fixed weight and a flat prior, in mixed truths", () => {
  const prior = priorFor({ generationRatio: 0.3 });
  const byRegret = (runs: Parameters<typeof posterior>[1], of: Prior): number =>
    WPS[choose(posterior(points, runs, { prior: of, draws: 400 }), { tolerance: 0 }).best]!;
  const regret = { ours: 0, flat: 0, gate: 0, fixed: 0 };
  for (const truth of truths)
    for (const design of [
      [0, PAPER_WP, 1],
      [0, PAPER_WP, 1, 0, PAPER_WP, 1],
    ])
      for (let seed = 1; seed <= 12; seed++) {
        const random = randomSource(seed);
        const runs = design.map((wp) => ({ wp, score: truth(wp) + 0.1 * random.normal() }));
        const best = Math.max(...WPS.map(truth));
        regret.ours += best - truth(byRegret(runs, prior));
        regret.flat += best - truth(byRegret(runs, flatPrior));
        regret.gate += best - truth(gate(runs));
        regret.fixed += best - truth(PAPER_WP);
      }
  expect(regret.ours).toBeLessThan(regret.flat);
  expect(regret.ours).toBeLessThan(regret.gate);
  expect(regret.ours).toBeLessThan(regret.fixed);
});
