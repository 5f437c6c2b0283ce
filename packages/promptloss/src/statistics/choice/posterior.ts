// A posterior over the course of a score: a mixture of Gaussian processes. Each member is one shape over w_p with an
// amplitude, plus smooth deviations, plus noise; members are weighed by their prior and by the likelihood of the
// observations, so nothing is fitted and nothing is tested. Blocks have flat intercepts, as in REML. Rasmussen and
// Williams, Gaussian Processes for Machine Learning (2006), sections 2.2 and 2.7. Pure; the same draws on every machine.
import { type RandomSource, randomSource } from "../random.ts";
import { type Conditioned, conditioned, type Projected } from "./conditioned.ts";
import { checkObservations, type KnownNoise, type Observation, type Point } from "./observations.ts";
import type { Prior } from "./prior.ts";
import { type Collapsed, collapse } from "./replicates.ts";
import { heightOf } from "./shapes.ts";

export interface PosteriorOptions {
  readonly prior: Prior;
  readonly noise?: KnownNoise | undefined;
  /** Curves that are drawn. */
  readonly draws?: number | undefined;
  readonly seed?: number | undefined;
}

export interface Posterior {
  readonly points: readonly Point[];
  /** Curves at the points, a row each; in the scores' units, or where nothing tells the noise in a unit that is none. */
  readonly draws: readonly Float64Array[];
  /**
   * Of a run's noise, the posterior mean; undefined where nothing tells it: without runs, and where all have one score and
   * nothing is known from elsewhere. Curves are then the prior's, and only shares of the span mean anything.
   */
  readonly noise: number | undefined;
  /** The gap between the best and the worst point, the posterior mean. */
  readonly span: number;
}

/** The gap between best and worst over the noise of a run, in equal parts a priori. Our choice, as all below. */
const EFFECTS = [0.5, 1, 2, 4, 8, 16, 32, 64];
/** Reach of the smooth deviations on w_p. */
const LENGTHS = [0.25, 0.6];
/** Of the largest score: a spread that rounding makes. */
const ROUNDING = 1e-9;
/** Noise over the scores' spread. */
const NOISES = Array.from({ length: 13 }, (_, i) => 2 ** (1 - 0.75 * i));

/** Noise over what is known of it. */
const AROUND_KNOWN = Array.from({ length: 13 }, (_, i) => 2 ** (0.5 * (i - 6)));

export const defaultDraws = 2000;

/**
 * @param points where the curve is asked for
 * @throws {StatisticsError} for observations that are no numbers
 */
export function posterior(
  points: readonly Point[],
  runs: readonly Observation[],
  { prior, noise, draws = defaultDraws, seed = 1 }: PosteriorOptions,
): Posterior {
  checkObservations(runs);
  const all = collapse(runs);
  const scale = spreadOf(all.observations, { ...all, ...designOf(all.observations) });
  const informed = scale > ROUNDING * Math.max(0, ...runs.map(({ score }) => Math.abs(score)));
  const known = informed || noise !== undefined;
  // Runs of one score have no scale: taken in any unit, they would say that regrets are small or large in it.
  const { observations, counts, within } = known ? all : collapse([]);
  const { blocks, design } = designOf(observations);
  const sigmas = noise
    ? AROUND_KNOWN.map((each) => each * noise.sd)
    : NOISES.map((each) => each * (informed ? scale : 1)).slice(0, informed ? undefined : 1);
  const groups = EFFECTS.flatMap((effect) =>
    LENGTHS.map((length) =>
      conditioned(points, observations, { effect, length, design, blocks, counts, within }),
    ),
  );
  const members = groups.flatMap((group) =>
    prior.parts.flatMap(({ shape, weight }) => {
      const projected = group.project(
        observations.map(({ wp }) => heightOf(shape, wp)),
        points.map(({ wp }) => heightOf(shape, wp)),
      );
      return sigmas.map((sigma) => ({
        ...{ group, projected, sigma },
        log: Math.log(weight) + group.logLikelihood(projected, sigma) + noiseLog(sigma, noise),
      }));
    }),
  );
  const weights = normalized(members.map(({ log }) => log));
  const curves = drawn(members, weights, { size: points.length, draws, random: randomSource(seed) });
  return {
    ...{ points, draws: curves },
    noise: known ? weights.reduce((sum, w, i) => sum + w * members[i]!.sigma, 0) : undefined,
    span: curves.reduce((sum, f) => sum + highest(f) - lowest(f), 0) / curves.length,
  };
}

interface Member {
  readonly group: Conditioned;
  readonly projected: Projected;
  readonly sigma: number;
  /** Of its weight. */
  readonly log: number;
}

/** Scaled inverse chi-square, as a density of log σ. */
function noiseLog(sigma: number, noise: KnownNoise | undefined): number {
  if (noise === undefined) return 0;
  const ratio = noise.sd / sigma;
  return noise.df * (Math.log(ratio) - ratio ** 2 / 2);
}

function normalized(logs: readonly number[]): number[] {
  const top = highest(logs);
  const weights = logs.map((log) => Math.exp(log - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Curves by systematic resampling of the members, in their order. */
function drawn(
  members: readonly Member[],
  weights: readonly number[],
  { size, draws, random }: { readonly size: number; readonly draws: number; readonly random: RandomSource },
): Float64Array[] {
  const curves: Float64Array[] = [];
  const z = new Float64Array(size);
  let passed = 0;
  members.forEach((member, i) => {
    passed += weights[i]!;
    const until = i === members.length - 1 ? draws : Math.min(draws, Math.round(passed * draws));
    while (curves.length < until) {
      for (let k = 0; k < size; k++) z[k] = random.normal();
      curves.push(member.group.curve(member.projected, member.sigma, z));
    }
  });
  return curves;
}

function highest(values: ArrayLike<number>): number {
  return fold(values, Math.max, Number.NEGATIVE_INFINITY);
}
function lowest(values: ArrayLike<number>): number {
  return fold(values, Math.min, Number.POSITIVE_INFINITY);
}

function fold(values: ArrayLike<number>, of: (a: number, b: number) => number, start: number): number {
  let found = start;
  for (let i = 0; i < values.length; i++) found = of(found, values[i]!);
  return found;
}

interface Design {
  readonly blocks: number;
  /** A column of 0 and 1 for each block, [n × blocks]. */
  readonly design: readonly (readonly number[])[];
}

function designOf(observations: readonly Observation[]): Design {
  const names = [...new Set(observations.map(({ block = "" }) => block))];
  return {
    blocks: names.length,
    design: observations.map(({ block = "" }) => names.map((name) => (name === block ? 1 : 0))),
  };
}

/** Root mean square of the runs around their blocks' means; 0 where nothing varies. */
function spreadOf(
  observations: readonly Observation[],
  { counts, within, design, blocks }: Omit<Collapsed, "observations"> & Design,
): number {
  let { squares } = within;
  let runs = 0;
  for (let block = 0; block < blocks; block++) {
    const members = observations.flatMap(({ score }, i) =>
      design[i]![block] === 1 ? [{ score, count: counts[i]! }] : [],
    );
    const count = members.reduce((sum, each) => sum + each.count, 0);
    const mean = members.reduce((sum, each) => sum + each.count * each.score, 0) / count;
    squares += members.reduce((sum, each) => sum + each.count * (each.score - mean) ** 2, 0);
    runs += count;
  }
  return Math.sqrt(squares / Math.max(1, runs - blocks));
}
