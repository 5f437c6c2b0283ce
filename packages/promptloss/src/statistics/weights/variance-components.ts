// Variances of the model behind a comparison of weights, from mean squares (the table is balanced, so that these are the
// restricted likelihood's): score = block + curve + the task's own curve + the run + rest. The run's part is shared by all tasks of a
// cell. A contrast's variance follows with its degrees of freedom by Satterthwaite (1946). Where part of the noise is known
// (sampling errors), mean squares are estimates of it and of a variance beside it, which is not below 0.
import { FEWEST_DF } from "../rules.ts";
import type { KnownVariance, Projection, Squares } from "./projection.ts";

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
  const { tasks, curveTerms, coordinates, meanCoordinates, pureMean, pureTasks, known } = projection;
  const replicates = pureMean.df >= FEWEST_DF;
  const beyond = meanCoordinates.subarray(curveTerms);
  const meanBeyond = tasks * squares(beyond);
  const allBeyond = coordinates.reduce((sum, own) => sum + squares(own.subarray(curveTerms)), 0);
  const pool = (pure: Squares, sum: number, df: number): Squares =>
    replicates ? pure : { sum: pure.sum + sum, df: pure.df + df };
  const mean = pool(pureMean, meanBeyond, beyond.length);
  const rest = pool(pureTasks, allBeyond - meanBeyond, beyond.length * (tasks - 1));
  /** Coordinates that the noise is known beyond. */
  const from = replicates ? meanCoordinates.length : curveTerms;
  const knownMean = known === undefined ? 0 : known.squares(from) / mean.df;
  const besideKnown = Math.max(0, mean.sum / mean.df - knownMean);
  const cellVariance = besideKnown + knownMean;
  // Of that variance over 2: what is estimated is besideKnown, by a sum of squares.
  const uncertainty = known === undefined ? 0 : known.spread(from, besideKnown) / mean.df ** 2;
  const these: Noise = {
    spread(a) {
      if (known === undefined) return { variance: (cellVariance * squares(a)) / tasks, df: mean.df };
      const variance = besideKnown * squares(a) + known.covariance(a, a);
      // At 0 nothing is estimated: all that is left is known.
      const df = besideKnown > 0 ? variance ** 2 / (squares(a) ** 2 * uncertainty) : Number.POSITIVE_INFINITY;
      return { variance: variance / tasks, df };
    },
    covariance: (a, b) => (besideKnown * inner(a, b) + (known?.covariance(a, b) ?? 0)) / tasks,
  };
  const common = {
    df: mean.df,
    from: replicates ? ("replicates" as const) : ("quadratic" as const),
    these,
  };
  if (tasks < 2)
    return { ...common, residual: undefined, run: cellVariance, curves: undefined, general: undefined };
  const found = tasksApart(projection, mean, rest, knownMean);
  const { residual, shared } = found;
  return {
    ...common,
    residual,
    run: shared / tasks,
    curves: Array.from({ length: curveTerms }, (_, k) =>
      Math.sqrt(Math.max(0, found.between[k * curveTerms + k]! - residual)),
    ),
    general: generalNoise(found, curveTerms, tasks, known),
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
  /** The part of both mean squares that is known; 0 where nothing is. */
  knownMean: number;
}

/** The run's variance is bounded by 0; the tasks' covariance is taken as it is observed, as in a t-test over tasks. */
function tasksApart(projection: Projection, mean: Squares, rest: Squares, knownMean: number): TasksApart {
  const { tasks, curveTerms: p, coordinates, meanCoordinates } = projection;
  const between = new Float64Array(p * p);
  for (const own of coordinates)
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++)
        between[i * p + j]! +=
          ((own[i]! - meanCoordinates[i]!) * (own[j]! - meanCoordinates[j]!)) / (tasks - 1);
  const cell = Math.max(knownMean, mean.sum / mean.df);
  const residual = Math.max(knownMean, rest.sum / rest.df);
  return {
    ...{ between, betweenDf: tasks - 1, residual, residualDf: rest.df, cell, cellDf: mean.df, knownMean },
    shared: Math.max(0, cell - residual),
  };
}

/**
 * T times a contrast's variance is expected to be B + C − R: the mean squares between tasks, between cells, and the rest.
 * B alone is right where runs share nothing, C alone where tasks do not differ. It is taken as B + max(0, C − R), and at
 * least as the mean of B and C, which catches a B that came out small.
 *
 * Its degrees of freedom are those of B + C, with shares 1 − w and w. As a difference of mean squares it would have far
 * fewer (Satterthwaite), but the two bounds take away the small variances that make a difference unsafe. What is left of
 * the risk is a small B where tasks differ, against which the third term stands where cells have more degrees of freedom
 * than tasks. Bounds and term are our choice, held to their level by simulation (bench:calibration).
 */
function generalNoise(found: TasksApart, p: number, tasks: number, known: KnownVariance | undefined): Noise {
  const { between, betweenDf, residual, residualDf, shared, cell, cellDf, knownMean } = found;
  /** A mean square's noise in two contrasts: its known part as it lies over the cells, the rest alike in all. */
  const noise = (meanSquare: number, a: Float64Array, b: Float64Array): number =>
    known === undefined
      ? meanSquare * inner(a, b)
      : (meanSquare - knownMean) * inner(a, b) + known.covariance(a, b);
  const [head, tail] = [
    (a: Float64Array): Float64Array => a.map((x, k) => (k < p ? x : 0)),
    (a: Float64Array): Float64Array => a.map((x, k) => (k < p ? 0 : x)),
  ];
  const ofTasks = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < p; i++) for (let j = 0; j < p; j++) sum += a[i]! * between[i * p + j]! * b[j]!;
    return sum;
  };
  return {
    covariance: (a, b) => (ofTasks(a, b) + noise(residual, tail(a), tail(b)) + shared * inner(a, b)) / tasks,
    spread(a) {
      const least = known === undefined ? 0 : known.covariance(head(a), head(a));
      const [own, beyond] = [Math.max(least, ofTasks(a, a)), noise(residual, tail(a), tail(a))];
      const [ofCells, rest] = [noise(cell, a, a), noise(residual, a, a)];
      const apart = own + beyond;
      const variance = Math.max(apart + Math.max(0, ofCells - rest), (apart + ofCells) / 2) / tasks;
      const apartDf = apart ** 2 / (own ** 2 / betweenDf + beyond ** 2 / residualDf);
      const w = ofCells / (apart + ofCells);
      const both = 2 * w * (1 - w) * Math.max(0, 1 / apartDf - 1 / cellDf);
      return { variance, df: 1 / ((1 - w) ** 2 / apartDf + w ** 2 / cellDf + both) };
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
