// A cubic regression spline in one variable, parametrised by its values at knots, with the integrated squared second
// derivative as penalty (Wood 2017, §5.3.1), turned to the penalty's eigenvectors so that the penalty is diagonal. Its
// two directions without penalty are the straight lines. No extrapolation: outside the knots there is no value.
import { eigen } from "../engine/eigen.ts";

export interface Spline {
  /** Ascending, k of them. */
  knots: readonly number[];
  /** Penalty of each of the k basis functions, 0 for two of them, 1 for the roughest. */
  penalty: readonly number[];
  /** The k basis functions at x, which lies within the knots. */
  basis(x: number): Float64Array;
}

/** A spline with `size` knots at evenly spaced quantiles of the different values of `x`; three at least. */
export function cubicSpline(x: ArrayLike<number>, size: number): Spline {
  const values = [...new Set(Array.from(x))].sort((a, b) => a - b);
  const knots = Array.from({ length: size }, (_, i) => quantileOf(values, i / (size - 1)));
  const k = size;
  const h = Array.from({ length: k - 1 }, (_, i) => knots[i + 1]! - knots[i]!);
  const second = secondDerivatives(h, k);
  // S = D'B⁻¹D, with B⁻¹D the second derivatives at the inner knots.
  const s = new Float64Array(k * k);
  for (let i = 0; i < k - 2; i++) {
    const [a, c] = [1 / h[i]!, 1 / h[i + 1]!];
    for (let j = 0; j < k; j++) {
      const f = second[i + 1]![j]!;
      s[i * k + j]! += a * f;
      s[(i + 1) * k + j]! -= (a + c) * f;
      s[(i + 2) * k + j]! += c * f;
    }
  }
  const { values: roughness, vectors } = eigen(s, k);
  const largest = roughness.at(-1)!;
  return {
    knots,
    // The first two are zero but for rounding.
    penalty: roughness.map((value, i) => (i < 2 ? 0 : value / largest)),
    basis: (at) => rotate(knotBasis(at, knots, h, second), vectors),
  };
}

/** Second derivatives at every knot as linear functions of the values there, [k][k]; zero at the ends. */
function secondDerivatives(h: readonly number[], k: number): number[][] {
  const inner = k - 2;
  // B F = D, B tridiagonal: elimination on rows that carry D along.
  const diagonal = Array.from({ length: inner }, (_, i) => (h[i]! + h[i + 1]!) / 3);
  const right = Array.from({ length: inner }, (_, i) => {
    const row = new Array<number>(k).fill(0);
    row[i] = 1 / h[i]!;
    row[i + 1] = -1 / h[i]! - 1 / h[i + 1]!;
    row[i + 2] = 1 / h[i + 1]!;
    return row;
  });
  for (let i = 1; i < inner; i++) {
    const off = h[i]! / 6;
    const factor = off / diagonal[i - 1]!;
    diagonal[i]! -= factor * off;
    for (let j = 0; j < k; j++) right[i]![j]! -= factor * right[i - 1]![j]!;
  }
  for (let i = inner - 1; i >= 0; i--) {
    const off = i + 1 < inner ? h[i + 1]! / 6 : 0;
    for (let j = 0; j < k; j++) {
      const above = i + 1 < inner ? right[i + 1]![j]! : 0;
      right[i]![j] = (right[i]![j]! - off * above) / diagonal[i]!;
    }
  }
  const zero = (): number[] => new Array<number>(k).fill(0);
  return [zero(), ...right, zero()];
}

function knotBasis(
  x: number,
  knots: readonly number[],
  h: readonly number[],
  second: readonly number[][],
): Float64Array {
  let j = 0;
  while (j < h.length - 1 && x > knots[j + 1]!) j++;
  const width = h[j]!;
  const after = x - knots[j]!;
  const before = knots[j + 1]! - x;
  const curveLeft = (before ** 3 / width - width * before) / 6;
  const curveRight = (after ** 3 / width - width * after) / 6;
  const out = Float64Array.from(
    knots,
    (_, i) => curveLeft * second[j]![i]! + curveRight * second[j + 1]![i]!,
  );
  out[j]! += before / width;
  out[j + 1]! += after / width;
  return out;
}

function rotate(values: Float64Array, vectors: readonly Float64Array[]): Float64Array {
  return Float64Array.from(vectors, (vector) => vector.reduce((sum, u, i) => sum + u * values[i]!, 0));
}

function quantileOf(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at + 1e-12);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
