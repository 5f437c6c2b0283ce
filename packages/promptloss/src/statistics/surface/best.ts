// Questions to a response surface: its value at a point with an interval, and where it is highest at a generation ratio
// with an interval from draws of its posterior. Outside the data it refuses. These describe: a smooth surface leans across
// ratios and bends where scores only level off, so that a best weight is claimed by comparisons of what was tried alone
// (weights/), at each ratio and over all of them.
import { plwOfWp } from "../effect/plw.ts";
import { ExtrapolationError, StatisticsError } from "../errors.ts";
import { trimmed } from "../numbers.ts";
import { randomSource } from "../random.ts";
import { standardNormalQuantile } from "../special.ts";
import type { ResponseSurface } from "./surface.ts";
import { tensorRow } from "./tensor.ts";

export interface SurfacePoint {
  wp: number;
  rg: number;
  /** On the link scale. */
  linear: number;
  standardError: number;
  /** On the scale of the score, for a typical group. */
  mean: number;
  /** Of the mean, at the level asked for. */
  lower: number;
  upper: number;
}

/** The surface at (w_p, Rg) with a pointwise interval. @throws {ExtrapolationError} outside the data */
export function surfaceAt(surface: ResponseSurface, wp: number, rg: number, level = 0.95): SurfacePoint {
  requireInside("w_p", wp, surface.range.wp);
  requireInside("Rg", rg, surface.range.rg);
  const { family } = surface.state;
  const { linear, standardError } = linearAt(surface, tensorRow(surface.state.splines, wp, Math.log(rg)));
  const reach = standardNormalQuantile((1 + level) / 2) * standardError;
  return {
    wp,
    rg,
    linear,
    standardError,
    mean: family.mean(linear),
    lower: family.mean(linear - reach),
    upper: family.mean(linear + reach),
  };
}

/** A weighted sum of the tensor's coefficients with its standard error. */
function linearAt(
  { state }: ResponseSurface,
  weights: Float64Array,
): { linear: number; standardError: number } {
  const { coefficients, precision } = state;
  const padded = new Float64Array(coefficients.length);
  padded.set(weights);
  const solved = precision.solve(padded);
  let linear = 0;
  let variance = 0;
  for (let k = 0; k < weights.length; k++) {
    linear += weights[k]! * coefficients[k]!;
    variance += weights[k]! * solved[k]!;
  }
  return { linear, standardError: Math.sqrt(Math.max(0, variance)) };
}

export interface BestOptions {
  /** Of the interval. Default 0.95. */
  level?: number;
  /** Draws of the surface. Default 2000. */
  draws?: number;
  /** Default 1. */
  seed?: number;
}

export interface BestPlw {
  rg: number;
  wp: number;
  plw: number;
  /** Mean score there, for a typical group. */
  mean: number;
  /** Percentiles of the best value over the draws. */
  interval: { wp: { lower: number; upper: number }; plw: { lower: number; upper: number } };
  level: number;
  draws: number;
  seed: number;
  /** The best value lies at an end of the range that the data cover. */
  atEdge: boolean;
  /** In one sentence, which claims nothing. */
  sentence: string;
}

const gridSteps = 500;

/** Where the surface is highest at a generation ratio. @throws {ExtrapolationError} when the data don't cover it */
export function bestPlwAt(surface: ResponseSurface, rg: number, options: BestOptions = {}): BestPlw {
  const { level = 0.95, draws = 2000, seed = 1 } = options;
  requireInside("Rg", rg, surface.range.rg);
  if (!Number.isInteger(draws) || draws < 100)
    throw new StatisticsError(`draws must be a whole number from 100, not ${draws}`);
  if (!(level > 0 && level < 1)) throw new StatisticsError(`level must lie between 0 and 1, not ${level}`);
  const { state, range } = surface;
  const [from, to] = range.wp;
  const grid = Array.from({ length: gridSteps + 1 }, (_, i) => from + ((to - from) * i) / gridSteps);
  const rows = grid.map((wp) => tensorRow(state.splines, wp, Math.log(rg)));
  const best = argmax(rows, state.coefficients);
  const wp = grid[best]!;
  const source = randomSource(seed);
  const bests: number[] = [];
  for (let d = 0; d < draws; d++) {
    const noise = state.precision.solveUpper(state.coefficients.map(() => source.normal()));
    bests.push(
      grid[
        argmax(
          rows,
          noise.map((x, k) => x + state.coefficients[k]!),
        )
      ]!,
    );
  }
  bests.sort((a, b) => a - b);
  const lower = bests[Math.floor(((1 - level) / 2) * (draws - 1))]!;
  const upper = bests[Math.ceil(((1 + level) / 2) * (draws - 1))]!;
  const atEdge = best === 0 || best === gridSteps;
  const found = {
    rg,
    wp,
    plw: plwOfWp(wp),
    mean: state.family.mean(linearAt(surface, rows[best]!).linear),
    interval: { wp: { lower, upper }, plw: { lower: plwOfWp(lower), upper: plwOfWp(upper) } },
    level,
    draws,
    seed,
    atEdge,
  };
  return { ...found, sentence: sentenceOf(found) };
}

function argmax(rows: readonly Float64Array[], coefficients: Float64Array): number {
  let best = 0;
  let top = Number.NEGATIVE_INFINITY;
  for (const [i, row] of rows.entries()) {
    let value = 0;
    for (let k = 0; k < row.length; k++) value += row[k]! * coefficients[k]!;
    if (value > top) {
      top = value;
      best = i;
    }
  }
  return best;
}

function sentenceOf({ rg, plw, interval, level, atEdge }: Omit<BestPlw, "sentence">): string {
  const percent = trimmed(100 * level, 6);
  const range = `${trimmed(interval.plw.lower)} to ${trimmed(interval.plw.upper)} in ${percent} % of draws`;
  return (
    `at Rg ${trimmed(rg)} the fitted surface is highest at PLW ${trimmed(plw)} (${range})` +
    `${atEdge ? ", an end of the range that was tried" : ""}: a description, no claim.`
  );
}

function requireInside(variable: string, value: number, range: readonly [number, number]): void {
  // A grid's end may be off by rounding.
  const slack = 1e-9 * (range[1] - range[0]);
  if (!(value >= range[0] - slack && value <= range[1] + slack))
    throw new ExtrapolationError(variable, value, range);
}
