// Where the quadratic through the weights' means has its vertex, with Fieller's interval: all w_p at which the slope may
// be 0. Where the curvature may be 0 it has no end, and says so by infinite ends.
import { fiellerInterval } from "../effect/fieller.ts";
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
