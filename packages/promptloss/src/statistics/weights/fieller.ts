// Fieller's interval (1954) for where a fitted curve has its vertex: all w_p at which the slope may be 0. It is exact
// with Student's t where the delta method, which treats the vertex as normal, covers too little. Where the curvature may
// be 0 it has no end on one side or both, and says so by infinite ends.
import { studentQuantile } from "../special.ts";
import type { Projection } from "./projection.ts";
import type { Noise } from "./variance-components.ts";

export interface VertexInterval {
  /** Of w_p; infinite where the data set no bound. */
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
  readonly df: number;
}

export interface Vertex {
  readonly wp: number;
  readonly curvature: number;
  readonly interval: VertexInterval;
}

/** Undefined with fewer than three weights. */
export function vertexOf(
  { slopeAt, meanCoordinates }: Projection,
  noise: Noise,
  level: number,
): Vertex | undefined {
  if (slopeAt === undefined) return undefined;
  const [constant, linear] = slopeAt;
  const value = (a: Float64Array): number => a.reduce((sum, x, k) => sum + x * meanCoordinates[k]!, 0);
  const [a, b] = [value(constant), value(linear)];
  const wp = -a / b;
  const at = constant.map((x, k) => x + wp * linear[k]!);
  const { df } = noise.spread(at);
  const t2 = studentQuantile((1 + level) / 2, df) ** 2;
  const interval = fiellerInterval(
    a,
    b,
    noise.covariance(constant, constant),
    noise.covariance(constant, linear),
    noise.covariance(linear, linear),
    t2,
  );
  return { wp, curvature: b / 2, interval: { ...interval, level, df } };
}

/**
 * All x with (a + b x)² ≤ t² Var(a + b x): an interval where b is known not to be 0; else unbounded, given as the whole
 * line even where a piece in the middle is excluded.
 */
export function fiellerInterval(
  a: number,
  b: number,
  aa: number,
  ab: number,
  bb: number,
  t2: number,
): { lower: number; upper: number } {
  const square = b * b - t2 * bb;
  const middle = a * b - t2 * ab;
  const constant = a * a - t2 * aa;
  const discriminant = middle * middle - square * constant;
  if (!(square > 0) || !(discriminant >= 0))
    return { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const root = Math.sqrt(discriminant);
  return { lower: (-middle - root) / square, upper: (-middle + root) / square };
}
