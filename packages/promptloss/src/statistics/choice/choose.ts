// From a posterior to a choice: the point of lowest expected regret, what each point would cost, which are within a
// tolerance, and what one more run would bring. A choice is no claim: nothing here tests anything.
import { standardNormalQuantile } from "../special.ts";
import type { Point } from "./observations.ts";
import type { Posterior } from "./posterior.ts";

export interface Outlook {
  /** Posterior mean of the score. */
  readonly mean: number;
  /** E[max over all points − the score here]. */
  readonly expectedRegret: number;
  /** Of being the best of the points. */
  readonly probabilityBest: number;
}

export interface MoreRuns {
  /** Where one more run is worth the most. */
  readonly at: number;
  /** By how much the score of the choice is expected to rise with it. */
  readonly gain: number;
}

export interface Choice {
  /** Of the points. */
  readonly best: number;
  readonly candidates: readonly Outlook[];
  /** Points whose expected score is at most the tolerance below the choice's. */
  readonly within: readonly number[];
  /** Undefined where the noise of a run is not known. */
  readonly oneMoreRun: MoreRuns | undefined;
}

export interface ChooseOptions {
  /** In the scores' units. */
  readonly tolerance: number;
  /** Points that may be chosen; all where left out. The regret is against the best of these. */
  readonly among?: readonly number[];
}

export function choose({ draws, points, noise }: Posterior, { tolerance, among }: ChooseOptions): Choice {
  const open = among ?? points.map((_, i) => i);
  const size = points.length;
  const mean = new Float64Array(size);
  const wins = new Float64Array(size);
  let top = 0;
  for (const f of draws) {
    let winner = open[0]!;
    for (const i of open) if (f[i]! > f[winner]!) winner = i;
    wins[winner]!++;
    top += f[winner]!;
    for (let i = 0; i < size; i++) mean[i]! += f[i]!;
  }
  const candidates = Array.from(mean, (sum, i) => ({
    mean: sum / draws.length,
    expectedRegret: (top - sum) / draws.length,
    probabilityBest: wins[i]! / draws.length,
  }));
  const best = open.reduce((a, b) => (candidates[b]!.mean > candidates[a]!.mean ? b : a));
  return {
    ...{ best, candidates },
    within: open.filter((i) => candidates[best]!.mean - candidates[i]!.mean <= tolerance),
    oneMoreRun: noise === undefined ? undefined : mostWorth(draws, candidates, open, noise),
  };
}

/**
 * The knowledge gradient of one run at each point (Frazier, Powell and Dayanik 2009), for a Gaussian of the draws' mean
 * and covariance: E[max after it] − max now.
 */
function mostWorth(
  draws: readonly Float64Array[],
  candidates: readonly Outlook[],
  open: readonly number[],
  noise: number,
): MoreRuns {
  const size = candidates.length;
  const covariance = covarianceOf(draws, candidates);
  let found: MoreRuns = { at: open[0]!, gain: 0 };
  const now = Math.max(...open.map((i) => candidates[i]!.mean));
  for (const at of open) {
    const sd = Math.sqrt(covariance[at * size + at]! + noise ** 2);
    const slopes = open.map((i) => covariance[at * size + i]! / sd);
    let after = 0;
    for (const z of QUANTILES) {
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < open.length; k++) top = Math.max(top, candidates[open[k]!]!.mean + slopes[k]! * z);
      after += top;
    }
    const gain = after / QUANTILES.length - now;
    if (gain > found.gain) found = { at, gain };
  }
  return found;
}

/** Midpoint quantiles of the standard normal. */
const QUANTILES = Array.from({ length: 64 }, (_, i) => standardNormalQuantile((i + 0.5) / 64));

/** [size × size] by rows. */
function covarianceOf(draws: readonly Float64Array[], candidates: readonly Outlook[]): Float64Array {
  const size = candidates.length;
  const covariance = new Float64Array(size * size);
  const centered = new Float64Array(size);
  for (const f of draws) {
    for (let i = 0; i < size; i++) centered[i] = f[i]! - candidates[i]!.mean;
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++) covariance[i * size + j]! += (centered[i]! * centered[j]!) / draws.length;
  }
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) covariance[i * size + j] = covariance[j * size + i]!;
  return covariance;
}

/** The same place but for what is said to vary. */
export function pointsOver(wps: readonly number[], logRates: readonly (number | undefined)[]): Point[] {
  return logRates.flatMap((logRate) => wps.map((wp) => ({ wp, logRate })));
}
