// A choice after a given study: by the posterior with the paper's prior, with a flat one, by the gate, always 0.242.
import { choose, flatPrior, type Observation, type Point, posterior, priorFor } from "promptloss/statistics";
import { gate, PAPER_WP } from "./gate.ts";
import type { Truth } from "./truths.ts";

/** w_p that a rule chooses. */
export type Rule = (runs: readonly Observation[], points: readonly Point[], truth: Truth) => number;

const DRAWS = 600;

function byRegret(informed: boolean): Rule {
  return (runs, points, truth) => {
    const prior = informed ? priorFor({ generationRatio: truth.generationRatio }) : flatPrior;
    return points[choose(posterior(points, runs, { prior, draws: DRAWS }), { tolerance: 0 }).best]!.wp;
  };
}

export const rules: Readonly<Record<string, Rule>> = {
  "lowest expected regret": byRegret(true),
  "lowest expected regret, flat prior": byRegret(false),
  "vertex if significant, else 0.242": (runs) => gate(runs),
  "always 0.242": () => PAPER_WP,
};

/** Weights by w_p and seeds of small studies. */
export const designs: Readonly<Record<string, readonly number[]>> = {
  "3 × 1": [0, PAPER_WP, 1],
  "3 × 2": [0, PAPER_WP, 1, 0, PAPER_WP, 1],
  "5 × 2": [0, 0.25, 0.5, 0.75, 1, 0, 0.25, 0.5, 0.75, 1],
  "10 × 1": [0, 0.1, 0.16, 0.25, 0.33, 0.4, 0.5, 0.65, 0.81, 1],
};
