// Minimizes a smooth function with an exact gradient: BFGS started from, and checked by, the Hessian that differences
// of the gradient give (Nocedal and Wright 2006, ch. 6). A point is a minimum when the Hessian is positive definite
// there and Newton's step is negligible; from a saddle it goes on along the direction that falls.
import { type Cholesky, cholesky } from "./cholesky.ts";
import { type Eigen, eigen } from "./eigen.ts";

export interface Point {
  value: number;
  gradient: Float64Array;
}

/** Undefined where the function has no finite value. */
export type Objective = (x: Float64Array) => Point | undefined;

export interface Minimum extends Point {
  x: Float64Array;
  /** [size * size] */
  hessian: Float64Array;
  /** Undefined when the Hessian is not positive definite. */
  curvature: Cholesky | undefined;
  eigen: Eigen;
  /** g'H⁻¹g: squared distance to the minimum in standard errors; Infinity without positive curvature. */
  decrement: number;
  converged: boolean;
  iterations: number;
}

export interface OptimizeOptions {
  /** Most BFGS steps, over all rounds. */
  iterations?: number;
  /** Squared distance to the minimum, in standard errors, at which to stop. */
  tolerance?: number;
}

const rounds = 6;

/** A failure is a minimum with `converged` false. Undefined when the start itself has no value. */
export function minimize(
  objective: Objective,
  start: Float64Array,
  options: OptimizeOptions = {},
): Minimum | undefined {
  const { iterations: limit = 400, tolerance = 1e-10 } = options;
  let x: Float64Array = Float64Array.from(start);
  let point = objective(x);
  if (point === undefined) return undefined;
  let used = 0;
  let best: Minimum | undefined;
  for (let round = 0; round < rounds; round++) {
    const hessian = differenceHessian(objective, x, point);
    const size = x.length;
    const curvature = cholesky(hessian, size);
    // Where the function has no value on either side there is nothing to know: steps are then along the gradient.
    const spectrum = eigen(hessian.every(Number.isFinite) ? hessian : identity(size), size);
    const decrement =
      curvature === undefined
        ? Number.POSITIVE_INFINITY
        : inner(point.gradient, curvature.solve(point.gradient));
    const converged = decrement < tolerance;
    best = { x, ...point, hessian, curvature, eigen: spectrum, decrement, converged, iterations: used };
    if (converged || used >= limit) return best;
    const pushed = curvature === undefined ? leaveSaddle(objective, x, point, spectrum) : undefined;
    const from = pushed ?? { x, point };
    const moved = bfgs(objective, from.x, from.point, inverseOf(spectrum), limit - used, tolerance);
    used += Math.max(1, moved.steps);
    const stuck = pushed === undefined && moved.steps === 0;
    x = moved.x;
    point = moved.point;
    if (stuck) return best;
  }
  return best;
}

/**
 * Minimizes from near the minimum, trusting `hessian` (that of a like function) instead of differences: for refits by
 * the hundred. Undefined when it doesn't arrive.
 */
export function minimizeNear(
  objective: Objective,
  start: Float64Array,
  hessian: Float64Array,
): Place | undefined {
  const point = objective(start);
  if (point === undefined) return undefined;
  // A thousandth of a standard error.
  const tolerance = 1e-6;
  const inverse = inverseOf(eigen(hessian, start.length));
  const moved = bfgs(objective, start, point, inverse, 100, tolerance);
  const slope = inner(
    inverse.map((row) => inner(row, moved.point.gradient)),
    moved.point.gradient,
  );
  return slope < 10 * tolerance ? moved : undefined;
}

/** Central differences of the gradient, made symmetric, [size * size]. A point without a value leaves NaN. */
export function differenceHessian(objective: Objective, x: Float64Array, at: Point): Float64Array {
  const n = x.length;
  const hessian = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const h = differenceStep(x[k]!);
    const ahead = objective(shifted(x, k, h));
    const behind = objective(shifted(x, k, -h));
    for (let j = 0; j < n; j++) {
      // One-sided at the edge of the domain.
      const upper = ahead?.gradient[j] ?? at.gradient[j]!;
      const lower = behind?.gradient[j] ?? at.gradient[j]!;
      hessian[k * n + j] = (upper - lower) / (h * ((ahead ? 1 : 0) + (behind ? 1 : 0)));
    }
  }
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < k; j++) {
      const mean = (hessian[k * n + j]! + hessian[j * n + k]!) / 2;
      hessian[k * n + j] = mean;
      hessian[j * n + k] = mean;
    }
  }
  return hessian;
}

function identity(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

/** A step whose square is negligible beside the parameter, and whose gain in gradient is far above rounding. */
export function differenceStep(x: number): number {
  return 1e-4 * Math.max(Math.abs(x), 0.1);
}

export function shifted(x: Float64Array, k: number, by: number): Float64Array {
  const out = Float64Array.from(x);
  out[k]! += by;
  return out;
}

/** The inverse with eigenvalues made positive and kept off zero, by rows. */
function inverseOf({ values, vectors }: Eigen): Float64Array[] {
  const n = values.length;
  const floor = Math.max(1e-6 * Math.max(...values.map(Math.abs)), Number.MIN_VALUE);
  const rows = Array.from({ length: n }, () => new Float64Array(n));
  for (const [k, value] of values.entries()) {
    const weight = 1 / Math.max(Math.abs(value), floor);
    const vector = vectors[k]!;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) rows[i]![j]! += weight * vector[i]! * vector[j]!;
  }
  return rows;
}

export interface Place {
  x: Float64Array;
  point: Point;
}

function leaveSaddle(
  objective: Objective,
  x: Float64Array,
  point: Point,
  { values, vectors }: Eigen,
): Place | undefined {
  if (!(values[0]! < 0)) return undefined;
  const direction = vectors[0]!;
  let found: Place | undefined;
  for (const length of [0.3, -0.3, 0.05, -0.05]) {
    const next = x.map((value, k) => value + length * direction[k]!);
    const there = objective(next);
    if (there !== undefined && there.value < (found?.point.value ?? point.value))
      found = { x: next, point: there };
  }
  return found;
}

function bfgs(
  objective: Objective,
  start: Float64Array,
  startPoint: Point,
  inverse: Float64Array[],
  limit: number,
  tolerance: number,
): Place & { steps: number } {
  let x = start;
  let point = startPoint;
  let steps = 0;
  while (steps < limit) {
    let direction = inverse.map((row) => -inner(row, point.gradient));
    let slope = inner(direction, point.gradient);
    if (!(slope < 0)) {
      direction = Array.from(point.gradient, (g) => -g);
      slope = inner(direction, point.gradient);
    }
    // The slope is minus the squared distance to the minimum, as far as the inverse is known.
    if (!(-slope > tolerance / 10)) break;
    const next = lineSearch(objective, x, point, direction, slope);
    if (next === undefined) break;
    steps++;
    update(inverse, x, point, next);
    x = next.x;
    point = next.point;
  }
  return { x, point, steps };
}

/** Backtracks until the function falls by a share of what its slope promises (Armijo). */
function lineSearch(
  objective: Objective,
  x: Float64Array,
  { value }: Point,
  direction: ArrayLike<number>,
  slope: number,
): Place | undefined {
  const longest = Math.max(...Array.from(direction, Math.abs));
  let size = Math.min(1, 5 / longest);
  for (let halvings = 0; halvings < 40; halvings++, size /= 2) {
    const next = x.map((xk, k) => xk + size * direction[k]!);
    const point = objective(next);
    if (point !== undefined && point.value <= value + 1e-4 * size * slope) return { x: next, point };
  }
  return undefined;
}

/** BFGS's update of the inverse Hessian, left out where the curvature along the step is not positive. */
function update(inverse: Float64Array[], x: Float64Array, point: Point, next: Place): void {
  const s = next.x.map((value, k) => value - x[k]!);
  const y = next.point.gradient.map((value, k) => value - point.gradient[k]!);
  const sy = inner(s, y);
  if (!(sy > 1e-12 * Math.sqrt(inner(s, s) * inner(y, y)))) return;
  const hy = inverse.map((row) => inner(row, y));
  const scale = (1 + inner(hy, y) / sy) / sy;
  for (const [i, row] of inverse.entries()) {
    for (let j = 0; j < row.length; j++) {
      row[j]! += scale * s[i]! * s[j]! - (hy[i]! * s[j]! + s[i]! * hy[j]!) / sy;
    }
  }
}

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
