// The Laplace approximation of a marginal likelihood: the latent vector's posterior mode by Newton's method, the
// curvature there, and the adjoint that turns the approximation's dependence on its parameters into an exact gradient
// (the mode moves with the parameters: implicit differentiation). See docs/statistics-methods.md.
import { type Densities, type Family, newDensities } from "../family/family.ts";
import { type Cholesky, cholesky } from "./cholesky.ts";
import { type LatentDesign, linearPredictor, transposeTimes, weightedGram } from "./latent.ts";

export interface LatentProblem {
  family: Family;
  /** Responses, [n]. */
  y: Float64Array;
  tau: number;
  /** The part of η without the latent vector, [n]. */
  offset: Float64Array;
  design: LatentDesign;
  /** Prior precision of each latent variable, [q]. */
  precision: Float64Array;
}

export interface Mode {
  /** The posterior mode, [q]. */
  v: Float64Array;
  /** [n] */
  eta: Float64Array;
  densities: Densities;
  /** H = A'WA + P, the negative curvature of the log joint density at the mode. */
  curvature: Cholesky;
  /** Σ ℓ − ½ v'Pv */
  joint: number;
  /** joint − ½ log |H|: the log-likelihood up to the prior's own constant. */
  value: number;
}

const newtonLimit = 100;
// The squared length of a Newton step in posterior deviations. A step this short squares its error: what is left after
// it is near rounding.
const lastDecrement = 1e-12;

/** The mode, or undefined where the approximation doesn't exist (no finite maximum, curvature not positive). */
export function findMode(problem: LatentProblem, start: Float64Array): Mode | undefined {
  const { family, y, tau, offset, design, precision } = problem;
  const n = design.rows;
  const densities = newDensities(n);
  const eta = new Float64Array(n);
  const jointAt = (v: Float64Array, third = false): number => {
    linearPredictor(design, v, offset, eta);
    family.densities(y, eta, tau, third, densities);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += densities.value[i]!;
    for (let k = 0; k < v.length; k++) sum -= 0.5 * precision[k]! * v[k]! * v[k]!;
    return sum;
  };

  let v = Float64Array.from(start);
  let joint = jointAt(v);
  if (!Number.isFinite(joint) && v.some((x) => x !== 0)) {
    v = new Float64Array(v.length);
    joint = jointAt(v);
  }
  if (!Number.isFinite(joint)) return undefined;
  for (let iteration = 0; design.size > 0; iteration++) {
    if (iteration === newtonLimit) return undefined;
    const gradient = transposeTimes(design, densities.d1);
    for (let k = 0; k < v.length; k++) gradient[k]! -= precision[k]! * v[k]!;
    const curvature =
      cholesky(negativeHessian(design, densities.d2, precision), design.size) ??
      cholesky(negativeHessian(design, densities.expected, precision), design.size);
    if (curvature === undefined) return undefined;
    const step = curvature.solve(gradient);
    let decrement = 0;
    for (let k = 0; k < v.length; k++) decrement += step[k]! * gradient[k]!;
    if (!Number.isFinite(decrement)) return undefined;
    if (decrement < lastDecrement) {
      v = v.map((x, k) => x + step[k]!);
      break;
    }
    let size = 1;
    let next = v;
    let value = Number.NaN;
    // Near the mode the gain is below rounding, and the full step is right.
    for (; !(value > joint || (decrement < 1e-8 && value > joint - 1e-6)); size /= 2) {
      if (size < 1e-10) return undefined;
      next = v.map((x, k) => x + size * step[k]!);
      value = jointAt(next);
    }
    v = next;
    joint = value;
  }
  joint = jointAt(v, true);
  const curvature = cholesky(negativeHessian(design, densities.d2, precision), design.size);
  if (curvature === undefined || !Number.isFinite(joint)) return undefined;
  return { v, eta, densities, curvature, joint, value: joint - 0.5 * curvature.logDet };
}

function negativeHessian(design: LatentDesign, d2: Float64Array, precision: Float64Array): Float64Array {
  const out = weightedGram(
    design,
    d2.map((x) => -x),
  );
  for (let k = 0; k < design.size; k++) out[k * design.size + k]! += precision[k]!;
  return out;
}

export interface Adjoint {
  /** d value / dη_i of a shift of the offset that the mode answers to, [n]. */
  eta: Float64Array;
  /** d value / dτ */
  tau: number;
  /** H⁻¹, [q * q]. */
  inverse: Float64Array;
  /** (H⁻¹ A')_ei for each entry e of A's rows, [entries]: how the log-determinant depends on A. */
  inverseRows: Float64Array;
  /** H⁻¹ A'c with c_i = −½ ℓ'''_i h_i: how the log-determinant pulls on the mode, [q]. */
  pull: Float64Array;
  /** A pull, [n]. */
  pullRows: Float64Array;
}

/** First derivatives of the approximation at `mode`. */
export function adjoint({ design }: LatentProblem, mode: Mode): Adjoint {
  const { rowStart, index, value, rows, size } = design;
  const { d1, d2, d3, tau, d1Tau, d2Tau } = mode.densities;
  const inverse = mode.curvature.inverse();
  const inverseRows = new Float64Array(value.length);
  const leverage = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let e = rowStart[i]!; e < rowStart[i + 1]!; e++) {
      let sum = 0;
      const row = index[e]! * size;
      for (let f = rowStart[i]!; f < rowStart[i + 1]!; f++) sum += inverse[row + index[f]!]! * value[f]!;
      inverseRows[e] = sum;
      leverage[i]! += sum * value[e]!;
    }
  }
  const c = leverage.map((h, i) => -0.5 * d3[i]! * h);
  const pull = mode.curvature.solve(transposeTimes(design, c));
  const pullRows = new Float64Array(rows);
  linearPredictor(design, pull, new Float64Array(rows), pullRows);
  let dTau = 0;
  const eta = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    eta[i] = d1[i]! - c[i]! - d2[i]! * pullRows[i]!;
    dTau += tau[i]! + 0.5 * leverage[i]! * d2Tau[i]! - pullRows[i]! * d1Tau[i]!;
  }
  return { eta, tau: dTau, inverse, inverseRows, pull, pullRows };
}
