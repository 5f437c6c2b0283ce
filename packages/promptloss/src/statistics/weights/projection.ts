// What a balanced table of scores says of weights, in coordinates that are orthonormal within blocks: a trend in w_p, a
// curvature, and what else the weights' means can do; and the squares that are left, apart for the mean over tasks and
// for what tasks do differently. Nothing of the data is used beyond these (they are sufficient for the model).
import { dot } from "../design/orthogonalize.ts";
import { cholesky } from "../engine/cholesky.ts";
import { FitError } from "../errors.ts";
import { blockSizes, type ScoreTable, withinBlocks } from "./score-table.ts";

/** Sums of squares with what they have to vary in. */
export interface Squares {
  readonly sum: number;
  readonly df: number;
}

/** Cells' known variances (T times those of their mean over tasks) in the coordinates' terms. */
export interface KnownVariance {
  /** Of two contrasts given by their coordinates, [r]. */
  covariance(a: Float64Array, b: Float64Array): number;
  /** Of what the first `from` coordinates leave: the expected sum of squares. */
  squares(from: number): number;
  /** The same space with a variance that all cells share beside: the variance of the sum of squares, over 2. */
  spread(from: number, shared: number): number;
}

export interface WeightLevel {
  readonly plw: number;
  readonly wp: number;
  readonly cells: number;
  /** Mean score over tasks and blocks, on the scaled scores; blocks that lack a weight are allowed for. */
  readonly mean: number;
}

export interface Projection {
  /** From the lowest weight. */
  readonly levels: readonly WeightLevel[];
  readonly tasks: number;
  /** 1 with two weights, else 2: trend, and curvature. */
  readonly curveTerms: number;
  /** [tasks][r], each task's coordinates; r is the number of weights less one. Trend, curvature, cubic, the rest. */
  readonly coordinates: readonly Float64Array[];
  /** [r], of the mean over tasks. */
  readonly meanCoordinates: Float64Array;
  /** What is known of the noise; undefined where nothing is. */
  readonly known: KnownVariance | undefined;
  /** Squares beyond the weights' means, of √T times the mean over tasks. */
  readonly pureMean: Squares;
  /** The same of what tasks do differently. */
  readonly pureTasks: Squares;
  /** A contrast of the weights' means, as a combination of coordinates, [r]. */
  contrast(weights: readonly number[]): Float64Array;
  /** The slope of the fitted quadratic at w_p = x is slopeAt[0] + x slopeAt[1], each [r]. */
  readonly slopeAt: readonly [Float64Array, Float64Array] | undefined;
}

/** @throws {FitError} where blocks and weights can't be told apart */
export function project(table: ScoreTable): Projection {
  const { cells, scores } = table;
  const wps = [...new Set(cells.map(({ wp }) => wp))].sort((a, b) => a - b);
  if (wps.length < 2)
    throw new FitError("all cells have one prompt loss weight: there is nothing to compare");
  const column = (value: (wp: number) => number): Float64Array =>
    withinBlocks(
      Float64Array.from(cells, ({ wp }) => value(wp)),
      cells,
    );
  const curve = [column((wp) => wp), ...(wps.length > 2 ? [column((wp) => wp * wp)] : [])];
  const cubic = wps.length > 3 ? [column((wp) => wp ** 3)] : [];
  const indicators = wps.map((level) => column((wp) => (wp === level ? 1 : 0)));
  const basis = orthonormal([...curve, ...cubic, ...indicators]);
  const size = wps.length - 1;
  if (basis.length !== size)
    throw new FitError("weights and the other factors of the cells can't be told apart", {
      hint: "give each seed, model and so on several weights",
    });
  const centered = scores.map((values) => withinBlocks(values, cells));
  const coordinates = centered.map((values) => Float64Array.from(basis, (q) => dot(q, values)));
  const tasks = scores.length;
  const meanScores = Float64Array.from(cells, (_, i) => centered.reduce((sum, y) => sum + y[i]!, 0) / tasks);
  const meanCoordinates = Float64Array.from(basis, (q) => dot(q, meanScores));
  const pureDf = cells.length - table.blocks - size;
  const rest = (values: Float64Array, at: Float64Array): number =>
    Math.max(0, dot(values, values) - dot(at, at));
  const meanSquare = tasks * rest(meanScores, meanCoordinates);
  const allSquares = centered.reduce((sum, values, t) => sum + rest(values, coordinates[t]!), 0);
  const contrast = contrastsOf(basis, indicators);
  const levels = levelsOf(table, wps, contrast, meanCoordinates);
  return {
    levels,
    tasks,
    curveTerms: curve.length,
    coordinates,
    meanCoordinates,
    known: table.known && knownVariance(table.known, basis, table),
    pureMean: { sum: meanSquare, df: pureDf },
    pureTasks: { sum: Math.max(0, allSquares - meanSquare), df: pureDf * (tasks - 1) },
    contrast,
    slopeAt: curve.length < 2 ? undefined : slopes(basis, curve),
  };
}

function knownVariance(
  known: Float64Array,
  basis: readonly Float64Array[],
  { cells }: Pick<ScoreTable, "cells">,
): KnownVariance {
  const sizes = blockSizes(cells);
  const ofCells = (a: Float64Array): Float64Array => {
    const out = new Float64Array(cells.length);
    for (const [k, share] of a.entries())
      for (let i = 0; i < out.length; i++) out[i]! += share * basis[k]![i]!;
    return out;
  };
  /** Of the projector on what blocks and the first `from` coordinates leave. */
  const left = (from: number, i: number, j: number): number => {
    const [a, b] = [cells[i]!.block, cells[j]!.block];
    let value = (i === j ? 1 : 0) - (a === b ? 1 / sizes.get(a)! : 0);
    for (let k = 0; k < from; k++) value -= basis[k]![i]! * basis[k]![j]!;
    return value;
  };
  return {
    covariance(a, b) {
      const [first, second] = [ofCells(a), ofCells(b)];
      return known.reduce((sum, variance, i) => sum + variance * first[i]! * second[i]!, 0);
    },
    squares: (from) => known.reduce((sum, variance, i) => sum + variance * left(from, i, i), 0),
    spread(from, shared) {
      let sum = 0;
      for (const [i, x] of known.entries())
        for (const [j, y] of known.entries()) sum += left(from, i, j) ** 2 * (shared + x) * (shared + y);
      return sum;
    },
  };
}

/** Modified Gram-Schmidt, twice; columns that others determine are left out. */
export function orthonormal(columns: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const values of columns) {
    const rest = Float64Array.from(values);
    const length = Math.sqrt(dot(values, values));
    for (let pass = 0; pass < 2; pass++) {
      for (const q of basis) {
        const share = dot(q, rest);
        for (let i = 0; i < rest.length; i++) rest[i]! -= share * q[i]!;
      }
    }
    const left = Math.sqrt(dot(rest, rest));
    if (left > 1e-7 * length && left > 1e-9) basis.push(rest.map((x) => x / left));
  }
  return basis;
}

/** Least squares of the weights' means: with R = basis' indicators, a contrast C of means is C'R'(RR')⁻¹ coordinates. */
function contrastsOf(
  basis: readonly Float64Array[],
  indicators: readonly Float64Array[],
): Projection["contrast"] {
  const size = basis.length;
  const r = basis.map((q) => indicators.map((x) => dot(q, x)));
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) gram[i * size + j] = r[i]!.reduce((sum, x, k) => sum + x * r[j]![k]!, 0);
  const factor = cholesky(gram, size);
  if (factor === undefined) throw new FitError("the weights' means can't be told apart");
  return (weights) =>
    factor.solve(Float64Array.from(r, (row) => row.reduce((sum, x, k) => sum + x * weights[k]!, 0)));
}

function levelsOf(
  { cells, scores }: ScoreTable,
  wps: readonly number[],
  contrast: Projection["contrast"],
  meanCoordinates: Float64Array,
): WeightLevel[] {
  const count = wps.length;
  let total = 0;
  for (const values of scores) for (const y of values) total += y;
  const grand = total / (cells.length * scores.length);
  return wps.map((wp, k) => {
    const own = cells.filter((cell) => cell.wp === wp);
    const weights = wps.map((_, j) => (j === k ? 1 : 0) - 1 / count);
    return { plw: own[0]!.plw, wp, cells: own.length, mean: grand + dot(contrast(weights), meanCoordinates) };
  });
}

/** b₁ + 2 b₂ x of the quadratic that the first two coordinates are. */
function slopes(
  basis: readonly Float64Array[],
  curve: readonly Float64Array[],
): [Float64Array, Float64Array] {
  const [q1, q2] = basis as [Float64Array, Float64Array];
  const [w, w2] = curve as [Float64Array, Float64Array];
  const constant = new Float64Array(basis.length);
  const linear = new Float64Array(basis.length);
  // w² = (q1'w²) q1 + (q2'w²) q2 and w = (q1'w) q1, so that b₂ = y₂ / q2'w² and b₁ = (y₁ − b₂ q1'w²) / q1'w.
  const b2 = 1 / dot(q2, w2);
  constant[0] = 1 / dot(q1, w);
  constant[1] = (-b2 * dot(q1, w2)) / dot(q1, w);
  linear[1] = 2 * b2;
  return [constant, linear];
}
