// Variances of the model behind a comparison of weights, by restricted maximum likelihood in closed form (the table is
// balanced): score = block + curve + the task's own curve + the run + rest. The run's part is shared by all tasks of a
// cell. A contrast's variance follows with its degrees of freedom by Satterthwaite (1946).
import { eigen } from "../engine/eigen.ts";
import type { Projection, Squares } from "./projection.ts";

/** A contrast's variance with its degrees of freedom. */
export interface Spread {
  readonly variance: number;
  readonly df: number;
}

/** How far contrasts of the mean over tasks may be off. */
export interface Noise {
  /** Of a contrast with coordinates a, [r]. */
  spread(a: Float64Array): Spread;
  covariance(a: Float64Array, b: Float64Array): number;
}

export interface VarianceComponents {
  /** Residual degrees of freedom of the runs: what a claim's noise is known by. */
  readonly df: number;
  /** Whether the noise is what weights' means leave, or what the quadratic leaves. */
  readonly from: "replicates" | "quadratic";
  /** Of a score, what neither its run nor its task's curve explains; undefined with one task. */
  readonly residual: number | undefined;
  /** Of a run, shared by its tasks. With one task, of a score. */
  readonly run: number;
  /** Deviations of the tasks' own trend and curvature; undefined with one task. */
  readonly curves: readonly number[] | undefined;
  /** For statements about these tasks: exact, as of one score a cell. */
  readonly these: Noise;
  /** For statements about tasks like these; undefined with one task. */
  readonly general: Noise | undefined;
}

/** Fewest residual degrees of freedom for the replicates alone to be the noise. */
const fewestReplicates = 6;

export function varianceComponents(projection: Projection): VarianceComponents {
  const { tasks, curveTerms, coordinates, meanCoordinates, pureMean, pureTasks } = projection;
  const replicates = pureMean.df >= fewestReplicates;
  const beyond = meanCoordinates.subarray(curveTerms);
  const meanBeyond = tasks * squares(beyond);
  const allBeyond = coordinates.reduce((sum, own) => sum + squares(own.subarray(curveTerms)), 0);
  const pool = (pure: Squares, sum: number, df: number): Squares =>
    replicates ? pure : { sum: pure.sum + sum, df: pure.df + df };
  const mean = pool(pureMean, meanBeyond, beyond.length);
  const rest = pool(pureTasks, allBeyond - meanBeyond, beyond.length * (tasks - 1));
  const cellVariance = mean.sum / mean.df;
  const these: Noise = {
    spread: (a) => ({ variance: (cellVariance * squares(a)) / tasks, df: mean.df }),
    covariance: (a, b) => (cellVariance * inner(a, b)) / tasks,
  };
  const common = {
    df: mean.df,
    from: replicates ? ("replicates" as const) : ("quadratic" as const),
    these,
  };
  if (tasks < 2)
    return { ...common, residual: undefined, run: cellVariance, curves: undefined, general: undefined };
  const found = restrictedMaximum(projection, mean, rest);
  return {
    ...common,
    residual: found.residual,
    run: Math.max(0, found.cell - found.residual) / tasks,
    curves: found.curves.map(({ variance }) => Math.sqrt(Math.max(0, variance - found.residual))),
    general: generalNoise(found, mean.df, tasks),
  };
}

interface Maximum {
  residual: number;
  residualDf: number;
  /** T times the variance of a cell's mean over tasks. */
  cell: number;
  /** The cell's variance is the residual one: runs share nothing. */
  cellPooled: boolean;
  /** Along eigenvectors of the tasks' covariance: variance, and whether it exceeds the residual one. */
  curves: { vector: Float64Array; variance: number; free: boolean }[];
  curveDf: number;
}

/**
 * The restricted likelihood's maximum under "no variance below zero": each mean square whose value falls below the
 * residual one is pooled with it, smallest first.
 */
function restrictedMaximum(projection: Projection, mean: Squares, rest: Squares): Maximum {
  const { tasks, curveTerms: p, coordinates, meanCoordinates } = projection;
  const between = new Float64Array(p * p);
  for (const own of coordinates)
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++)
        between[i * p + j]! += (own[i]! - meanCoordinates[i]!) * (own[j]! - meanCoordinates[j]!);
  const { values, vectors } = eigen(between, p);
  const df = tasks - 1;
  const parts = [
    ...values.map((value, k) => ({ curve: k, sum: Math.max(0, value), df })),
    { curve: -1, sum: mean.sum, df: mean.df },
  ].sort((a, b) => a.sum / a.df - b.sum / b.df);
  let { sum, df: pooledDf } = rest;
  const pooled = new Set<number>();
  for (const part of parts) {
    if (!(part.sum / part.df < sum / pooledDf)) break;
    sum += part.sum;
    pooledDf += part.df;
    pooled.add(part.curve);
  }
  const residual = sum / pooledDf;
  return {
    residual,
    residualDf: pooledDf,
    cell: pooled.has(-1) ? residual : mean.sum / mean.df,
    cellPooled: pooled.has(-1),
    curves: values.map((value, k) => ({
      vector: vectors[k]!,
      variance: pooled.has(k) ? residual : value / df,
      free: !pooled.has(k),
    })),
    curveDf: df,
  };
}

function generalNoise(found: Maximum, cellDf: number, tasks: number): Noise {
  const free = found.curves.filter((curve) => curve.free);
  const covariance = (a: Float64Array, b: Float64Array): number => {
    let sum = found.cell * inner(a, b);
    for (const { vector, variance } of free)
      sum += along(a, vector) * along(b, vector) * (variance - found.residual);
    return sum / tasks;
  };
  return {
    covariance,
    spread(a) {
      const variance = covariance(a, a);
      const length = squares(a);
      let curve = 0;
      let residualWeight = found.cellPooled ? length : 0;
      for (const { vector, variance: own } of free) {
        curve += along(a, vector) ** 2 * own;
        residualWeight -= along(a, vector) ** 2;
      }
      // Variances of the mean squares that the variance is a sum of.
      const uncertainty =
        (2 * curve ** 2) / found.curveDf +
        (found.cellPooled ? 0 : (2 * (found.cell * length) ** 2) / cellDf) +
        (2 * (residualWeight * found.residual) ** 2) / found.residualDf;
      return { variance, df: (2 * (variance * tasks) ** 2) / uncertainty };
    },
  };
}

function along(a: Float64Array, vector: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += a[k]! * vector[k]!;
  return sum;
}

function squares(a: Float64Array): number {
  return inner(a, a);
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
