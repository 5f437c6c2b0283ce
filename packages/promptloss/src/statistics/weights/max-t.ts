// p-values of several contrasts at once, corrected for how many there are and for how they hang together: the largest
// of the t-statistics against its own distribution, a multivariate t, drawn with a fixed seed (Hothorn, Bretz and
// Westfall 2008). Exact for known degrees of freedom, up to the draws.
import { eigen } from "../engine/eigen.ts";
import { randomSource } from "../random.ts";
import type { Noise } from "./variance-components.ts";

export type Tail = "upper" | "two-sided";

/** Draws: a p-value of 0.05 is then known to ±0.007. */
const DRAWS = 4000;

export interface ContrastTest {
  readonly estimate: number;
  readonly standardError: number;
  readonly df: number;
  readonly t: number;
  /** Corrected for all contrasts of the family. */
  readonly p: number;
}

export interface ContrastFamily {
  readonly tests: readonly ContrastTest[];
  /** The corrected interval's half-width is this times the standard error. */
  readonly critical: number;
}

/**
 * Tests each contrast against 0 at the family's smallest degrees of freedom.
 * @param contrasts coordinates of each, [contrasts][r]
 * @param estimates of each
 */
export function maxT(
  contrasts: readonly Float64Array[],
  estimates: readonly number[],
  noise: Noise,
  tail: Tail,
  level = 0.95,
): ContrastFamily {
  const count = contrasts.length;
  const spreads = contrasts.map((a) => noise.spread(a));
  const df = Math.min(...spreads.map((spread) => spread.df));
  const errors = spreads.map(({ variance }) => Math.sqrt(variance));
  const largest = largestDraws(contrasts, noise, df, tail);
  const tests = contrasts.map((_, k): ContrastTest => {
    const t = estimates[k]! / errors[k]!;
    const reached = tail === "upper" ? t : Math.abs(t);
    // At least as large, the observed one counted.
    const above = largest.length - lowerBound(largest, reached);
    return {
      ...{ estimate: estimates[k]!, standardError: errors[k]!, df, t },
      p: Number.isNaN(t) ? 1 : (above + 1) / (largest.length + 1),
    };
  });
  const critical = count === 0 ? Number.NaN : largest[Math.ceil(level * largest.length) - 1]!;
  return { tests, critical };
}

/** Largest statistic of each draw under "all contrasts are 0", ascending. */
function largestDraws(
  contrasts: readonly Float64Array[],
  noise: Noise,
  df: number,
  tail: Tail,
): Float64Array {
  const size = contrasts[0]?.length ?? 0;
  // Square root of the covariance of the coordinates.
  const unit = (k: number): Float64Array => Float64Array.from({ length: size }, (_, i) => (i === k ? 1 : 0));
  const units = Array.from({ length: size }, (_, k) => unit(k));
  const covariance = Float64Array.from({ length: size * size }, (_, at) =>
    noise.covariance(units[Math.floor(at / size)]!, units[at % size]!),
  );
  const { values, vectors } = eigen(covariance, size);
  const count = contrasts.length;
  const rows = new Float64Array(count * size);
  for (const [k, a] of contrasts.entries()) {
    // Of each a deviation of 1: a contrast's own variance may be bounded from below, and correlations are not.
    const deviation = Math.sqrt(noise.covariance(a, a)) || 1;
    for (const [j, value] of values.entries()) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += a[i]! * vectors[j]![i]!;
      rows[k * size + j] = (sum * Math.sqrt(Math.max(0, value))) / deviation;
    }
  }
  // Two digits: a twentieth of the degrees of freedom moves a p-value less than the draws do.
  const roundedDf = Number(df.toPrecision(2));
  const key = `${tail} ${roundedDf} ${Array.from(rows, (x) => x.toFixed(5)).join(" ")}`;
  return remembered(largestOf, key, () => drawLargest(rows, count, size, roundedDf, tail));
}

function drawLargest(rows: Float64Array, count: number, size: number, df: number, tail: Tail): Float64Array {
  const normals = drawnNormals(size);
  const scales = drawnScales(df);
  const largest = new Float64Array(DRAWS);
  const twoSided = tail === "two-sided";
  for (let d = 0; d < DRAWS; d++) {
    const at = d * size;
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0, row = 0; k < count; k++, row += size) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += rows[row + j]! * normals[at + j]!;
      if (twoSided && sum < 0) sum = -sum;
      if (sum > top) top = sum;
    }
    largest[d] = top / scales[d]!;
  }
  return largest.sort();
}

// The same draws serve every family of a size and of degrees of freedom, and the same largest statistics every family of
// one geometry, as of the tasks of a study.
const normalDraws = new Map<number, Float64Array>();
const scaleDraws = new Map<number, Float64Array>();
const largestOf = new Map<string, Float64Array>();
const REMEMBERED = 64;

/** Standard normals, [DRAWS * size]. */
function drawnNormals(size: number): Float64Array {
  return remembered(normalDraws, size, () => {
    const source = randomSource(1);
    return new Float64Array(DRAWS * size).map(() => source.normal());
  });
}

/** √(χ²/df), [DRAWS]. */
function drawnScales(df: number): Float64Array {
  return remembered(scaleDraws, df, () => {
    const source = randomSource(2);
    if (df === Number.POSITIVE_INFINITY) return new Float64Array(DRAWS).fill(1);
    return new Float64Array(DRAWS).map(() => Math.sqrt(source.chiSquare(df) / df));
  });
}

function remembered<Key>(store: Map<Key, Float64Array>, key: Key, draw: () => Float64Array): Float64Array {
  const known = store.get(key);
  if (known !== undefined) return known;
  if (store.size >= REMEMBERED) store.clear();
  const drawn = draw();
  store.set(key, drawn);
  return drawn;
}

/** Index of the first value that is not below `x`. */
function lowerBound(sorted: Float64Array, x: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < x) from = middle + 1;
    else to = middle;
  }
  return from;
}
