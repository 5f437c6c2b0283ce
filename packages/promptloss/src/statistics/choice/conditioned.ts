// One Gaussian process given the observations, in units of a run's noise: its amplitude and reach are fixed, blocks
// have unknown intercepts (universal kriging), and a shape's mean may be added at any amplitude without new algebra.
import { cholesky } from "../engine/cholesky.ts";
import type { Observation, Point } from "./observations.ts";

/** Standard deviation of the smooth deviations over the gap between best and worst weight. Our choice, as all below. */
const DEVIATION = 0.35;
/** Of a learning rate's own effect over that gap; its reach in factors of 10; what it changes of the weight's course. */
const RATE = { sd: 1.5, reach: 0.5, changes: 0.5 };
/** Correlation of the curves at two levels of another recipe key. */
const OTHER = 0.4;
/** Reach in log Rg, over which another ratio's curve stops to speak for this one. */
const RATIO_REACH = 1.5;

export interface ConditioningOptions {
  /** Runs behind each observation, and what they say of the noise around their means. */
  readonly counts: readonly number[];
  readonly within: { readonly squares: number; readonly df: number };
  /** The gap between best and worst weight over the noise. */
  readonly effect: number;
  /** Reach of the deviations on w_p. */
  readonly length: number;
  /** A column of 0 and 1 for each block, [n × blocks]. */
  readonly design: readonly (readonly number[])[];
  readonly blocks: number;
}

/** A shape's heights at observations and points, taken through the observations once. */
export interface Projected {
  /** y'Py, y'Pg, g'Pg. */
  readonly forms: readonly [number, number, number];
  /** What the shape adds at the points beyond what the observations say, per unit of amplitude. */
  readonly added: Float64Array;
}

export interface Conditioned {
  project(heights: readonly number[], heightsAtPoints: readonly number[]): Projected;
  /** Up to a constant, intercepts integrated out. */
  logLikelihood(projected: Projected, sigma: number): number;
  /** A draw from standard normals, one a point. */
  curve(projected: Projected, sigma: number, normals: Float64Array): Float64Array;
}

export function conditioned(
  points: readonly Point[],
  observations: readonly Observation[],
  { effect, length, design, blocks, counts, within }: ConditioningOptions,
): Conditioned {
  const n = observations.length;
  const all = [...points, ...observations];
  const rates = all.some(({ logRate, other }) => logRate !== all[0]!.logRate || other !== all[0]!.other);
  const covariance = (a: Point, b: Point): number => effect ** 2 * kernel(a, b, length, rates);
  const scores = observations.map(({ score }) => score);

  const v = square(
    n,
    (i, j) => covariance(observations[i]!, observations[j]!) + (i === j ? 1 / counts[i]! : 0),
  );
  const { projector, intercepts, logDet } = withoutIntercepts(v, n, design, blocks);
  const apply = (x: readonly number[]): number[] =>
    column(n, (i) => sum(n, (j) => projector[i * n + j]! * x[j]!));

  // Kriging weights of the observations at each point; a point's level is the mean of the blocks'.
  const cross = points.map((point) => observations.map((each) => covariance(point, each)));
  const weights = table(points.length, n, (p, i) => {
    const level = sum(blocks, (a) => intercepts[a]![i]!) / Math.max(1, blocks);
    return level + sum(n, (j) => cross[p]![j]! * projector[j * n + i]!);
  });
  const root = rootOf(points, observations, { covariance, cross, weights, v });
  const fromScores = column(points.length, (p) => sum(n, (i) => weights[p]![i]! * scores[i]!));
  const projectedScores = apply(scores);
  const yy = sum(n, (i) => scores[i]! * projectedScores[i]!);

  return {
    project: (heights, heightsAtPoints) => {
      const projectedHeights = apply(heights);
      return {
        forms: [
          yy,
          sum(n, (i) => scores[i]! * projectedHeights[i]!),
          sum(n, (i) => heights[i]! * projectedHeights[i]!),
        ],
        added: Float64Array.from(
          points,
          (_, p) => heightsAtPoints[p]! - sum(n, (i) => weights[p]![i]! * heights[i]!),
        ),
      };
    },
    logLikelihood: ({ forms: [scored, mixed, shaped] }, sigma) => {
      const amplitude = effect * sigma;
      const form = scored - 2 * amplitude * mixed + amplitude ** 2 * shaped;
      const squares = Math.max(0, form) + within.squares;
      return -(logDet + 2 * (n - blocks + within.df) * Math.log(sigma) + squares / sigma ** 2) / 2;
    },
    curve: ({ added }, sigma, normals) =>
      Float64Array.from(points, (_, p) => {
        const deviation = sum(p + 1, (k) => root[p]![k]! * normals[k]!);
        return fromScores[p]! + sigma * (effect * added[p]! + deviation);
      }),
  };
}

/**
 * V = K + D of the observations, [n × n]: its inverse without the part that the blocks' intercepts take (P), these
 * intercepts' weights, and log|V| + log|X'V⁻¹X|.
 */
function withoutIntercepts(
  v: Float64Array,
  n: number,
  design: readonly (readonly number[])[],
  blocks: number,
): { projector: Float64Array; intercepts: number[][]; logDet: number } {
  const factor = cholesky(v, n)!;
  const inverse = factor.inverse();
  const vx = times(inverse, n, n, design, blocks);
  const information = square(blocks, (a, b) => sum(n, (i) => design[i]![a]! * vx[i]![b]!));
  const inner = cholesky(information, blocks)!;
  const innerInverse = inner.inverse();
  // (X'V⁻¹X)⁻¹ X'V⁻¹: the intercepts of given observations.
  const intercepts = table(blocks, n, (a, i) =>
    sum(blocks, (b) => innerInverse[a * blocks + b]! * vx[i]![b]!),
  );
  const projector = square(
    n,
    (i, j) => inverse[i * n + j]! - sum(blocks, (a) => vx[i]![a]! * intercepts[a]![j]!),
  );
  const logDet = (n === 0 ? 0 : factor.logDet) + (blocks === 0 ? 0 : inner.logDet);
  return { projector, intercepts, logDet };
}

/** Of two places, in units of the gap squared. */
function kernel(a: Point, b: Point, length: number, rates: boolean): number {
  const ratio = matern(Math.abs((a.logRatio ?? 0) - (b.logRatio ?? 0)) / RATIO_REACH);
  const course = DEVIATION ** 2 * matern(Math.abs(a.wp - b.wp) / length) * ratio;
  if (!rates) return course;
  const other = a.other === b.other ? 1 : OTHER;
  const rate = other * matern(Math.abs((a.logRate ?? 0) - (b.logRate ?? 0)) / RATE.reach);
  return course * (1 + RATE.changes * (rate - 1)) + RATE.sd ** 2 * rate;
}

/** Matérn's of order 5/2. */
function matern(distance: number): number {
  const r = Math.sqrt(5) * distance;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

interface Predicted {
  readonly covariance: (a: Point, b: Point) => number;
  readonly cross: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  readonly v: Float64Array;
}

/** A lower root of the covariance of the errors of prediction, K** − K*W' − WK*' + WVW', which may be singular. */
function rootOf(
  points: readonly Point[],
  { length: n }: readonly Observation[],
  { covariance, cross, weights, v }: Predicted,
): number[][] {
  const size = points.length;
  const spread = table(size, n, (p, i) => sum(n, (j) => weights[p]![j]! * v[j * n + i]!));
  const root = table(size, size, () => 0);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      const error =
        covariance(points[i]!, points[j]!) -
        sum(n, (k) => cross[i]![k]! * weights[j]![k]! + weights[i]![k]! * cross[j]![k]!) +
        sum(n, (k) => spread[i]![k]! * weights[j]![k]!);
      const rest = error - sum(j, (k) => root[i]![k]! * root[j]![k]!);
      if (i === j) root[i]![i] = Math.sqrt(Math.max(0, rest));
      else root[i]![j] = root[j]![j]! > SINGULAR ? rest / root[j]![j]! : 0;
    }
  return root;
}

/** A point whose error is less than this, in units of a run's noise, follows from the points before it. */
const SINGULAR = 1e-4;

function sum(length: number, of: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += of(i);
  return total;
}

function column(length: number, of: (i: number) => number): number[] {
  return Array.from({ length }, (_, i) => of(i));
}

function table(rows: number, columns: number, of: (i: number, j: number) => number): number[][] {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => of(i, j)));
}

/** By rows. */
function square(size: number, of: (i: number, j: number) => number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) matrix[i * size + j] = of(i, j);
  return matrix;
}

/** [rows × inner] times [inner × columns]. */
function times(
  a: Float64Array,
  rows: number,
  inner: number,
  b: readonly (readonly number[])[],
  columns: number,
): number[][] {
  return table(rows, columns, (i, j) => sum(inner, (k) => a[i * inner + k]! * b[k]![j]!));
}
