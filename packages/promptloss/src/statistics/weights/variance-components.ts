// Variances of the model behind a comparison of weights, from mean squares (the table is balanced, so that these are the
// restricted likelihood's): score = block + curve + the task's own curve + the run + rest. The run's part is shared by all tasks of a
// cell. A contrast's variance follows with its degrees of freedom by Satterthwaite (1946).
import { FEWEST_DF } from "../rules.ts";
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

export function varianceComponents(projection: Projection): VarianceComponents {
  const { tasks, curveTerms, coordinates, meanCoordinates, pureMean, pureTasks } = projection;
  const replicates = pureMean.df >= FEWEST_DF;
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
  const found = tasksApart(projection, mean, rest);
  const { residual, shared } = found;
  return {
    ...common,
    residual,
    run: shared / tasks,
    curves: Array.from({ length: curveTerms }, (_, k) =>
      Math.sqrt(Math.max(0, found.between[k * curveTerms + k]! - residual)),
    ),
    general: generalNoise(found, curveTerms, tasks),
  };
}

interface TasksApart {
  /** Covariance of the tasks' own trends and curvatures as observed, their scores' noise in it, [p * p]. */
  between: Float64Array;
  betweenDf: number;
  residual: number;
  residualDf: number;
  /** What the cells' mean square has beyond the residual one: T times the variance that the scores of a run share. */
  shared: number;
  cell: number;
  cellDf: number;
}

/**
 * The tasks' covariance is taken as it is observed, as in a t-test over tasks: bounding it by the residual variance, as
 * restricted maximum likelihood does, makes it too large where tasks differ little. The run's variance is bounded by 0,
 * and where it would fall below, the cells' mean square joins the residual one.
 */
function tasksApart(projection: Projection, mean: Squares, rest: Squares): TasksApart {
  const { tasks, curveTerms: p, coordinates, meanCoordinates } = projection;
  const between = new Float64Array(p * p);
  for (const own of coordinates)
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++)
        between[i * p + j]! +=
          ((own[i]! - meanCoordinates[i]!) * (own[j]! - meanCoordinates[j]!)) / (tasks - 1);
  const cell = mean.sum / mean.df;
  const pooled = cell < rest.sum / rest.df;
  const residualDf = pooled ? rest.df + mean.df : rest.df;
  const residual = (pooled ? rest.sum + mean.sum : rest.sum) / residualDf;
  return {
    ...{ between, betweenDf: tasks - 1, residual, residualDf, cell, cellDf: mean.df },
    shared: pooled ? 0 : cell - residual,
  };
}

function generalNoise(found: TasksApart, p: number, tasks: number): Noise {
  const { between, residual, shared } = found;
  const ofTasks = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < p; i++) for (let j = 0; j < p; j++) sum += a[i]! * between[i * p + j]! * b[j]!;
    return sum;
  };
  const covariance = (a: Float64Array, b: Float64Array): number =>
    (ofTasks(a, b) + residual * inner(a.subarray(p), b.subarray(p)) + shared * inner(a, b)) / tasks;
  return {
    covariance,
    spread(a) {
      const variance = covariance(a, a);
      const length = shared > 0 ? squares(a) : 0;
      // Variances of the mean squares that the variance is a sum of.
      const uncertainty =
        (2 * ofTasks(a, a) ** 2) / found.betweenDf +
        (2 * (found.cell * length) ** 2) / found.cellDf +
        (2 * (residual * (squares(a.subarray(p)) - length)) ** 2) / found.residualDf;
      return { variance, df: (2 * (variance * tasks) ** 2) / uncertainty };
    },
  };
}

function squares(a: Float64Array): number {
  return inner(a, a);
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
