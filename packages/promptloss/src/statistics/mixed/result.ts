// From the optimum in the likelihood's own coordinates to a fit that a person reads: coefficients in the columns' units
// with Wald tests, variance components, conditional modes, fitted means, information criteria.

import { eigen } from "../engine/eigen.ts";
import { differenceStep, shifted } from "../engine/optimize.ts";
import { normalTwoSided } from "../special.ts";
import { type Block, factorOf, varianceComponent } from "./blocks.ts";
import { type Degeneracy, diagnose, isSingular } from "./diagnostics.ts";
import type { Estimate } from "./estimate.ts";
import type { Coefficient, ConditionalModes, FitState, MixedModelFit } from "./fit.ts";

export function assemble(state: FitState, found: Estimate): MixedModelFit {
  const { frame, family, problem, responseScale } = state;
  const { minimum, evaluation, likelihood } = found;
  const { fixed, reml } = problem;
  const { eta, v } = evaluation.mode;
  const n = frame.rows;
  const p = fixed.basis.length;
  const basisCoefficients = likelihood.fixedPart(minimum.x, evaluation.mode);
  const estimates = fixed.transform.map((row) => responseScale * inner(row, basisCoefficients));
  const covariance = sandwich(fixed.transform, basisCovariance(found, p), responseScale ** 2);
  const lambdas = problem.blocks.map((block, b) =>
    withoutNoise(factorOf(block, minimum.x, likelihood.layout.blocks[b]!), block.effects),
  );
  const components = problem.blocks.map((block, b) =>
    scaleComponent(varianceComponent(block, lambdas[b]!), responseScale),
  );
  const tau = minimum.x[likelihood.layout.tau]!;
  const fitted = Float64Array.from(eta, (x) => family.mean(x) * responseScale);
  // The density of y is that of y / scale over scale; REML integrates p of those scales out.
  const logLik = evaluation.logLik - (n - (reml ? p : 0)) * Math.log(responseScale);
  const parameters = likelihood.layout.length + (reml ? p : 0);
  const degeneracy = lambdas.map((lambda, b) => degeneracyOf(lambda, problem.blocks[b]!));
  const diagnostics = diagnose({
    family,
    minimum,
    starts: found.starts,
    components,
    degeneracy,
    tau,
    fitted,
    aliased: fixed.aliased,
    dropped: frame.dropped,
  });
  return {
    formula: frame.formula.source,
    family: family.name,
    link: family.link,
    reml,
    samplingError: state.samplingError,
    observations: n,
    coefficients: fixed.kept.map((at, j) =>
      coefficient(frame.fixed[at]!.name, estimates[j]!, covariance[j]![j]!),
    ),
    aliased: fixed.aliased,
    covariance,
    dispersion: family.dispersion(tau) * responseScale,
    varianceComponents: components,
    conditionalModes: problem.blocks.map((block, b) =>
      conditionalModes(block, lambdas[b]!, v, responseScale),
    ),
    logLik,
    parameters,
    aic: 2 * parameters - 2 * logLik,
    bic: Math.log(n) * parameters - 2 * logLik,
    rows: [...frame.kept],
    fitted: [...fitted],
    converged: minimum.converged,
    singular: degeneracy.some(isSingular),
    diagnostics,
    iterations: minimum.iterations,
    state,
  };
}

function coefficient(name: string, estimate: number, variance: number): Coefficient {
  const standardError = Math.sqrt(variance);
  const z = estimate / standardError;
  return { name, estimate, standardError, z, p: normalTwoSided(z) };
}

/** Covariance of the basis's coefficients, p x p. */
function basisCovariance({ minimum, evaluation, likelihood }: Estimate, p: number): number[][] {
  const size = minimum.x.length;
  const parameterCovariance = pseudoInverse(minimum.hessian, size);
  if (!likelihood.problem.reml) return corner(parameterCovariance, size, 0, p);
  // Latent coefficients: their posterior covariance, and what the uncertainty of the parameters adds through the mode.
  const latent = likelihood.randomSize;
  const total = corner(evaluation.mode.curvature.inverse(), latent + p, latent, p);
  const slopes = Array.from({ length: size }, (_, k) => {
    const h = differenceStep(minimum.x[k]!);
    const ahead = likelihood.evaluate(shifted(minimum.x, k, h))?.mode.v ?? evaluation.mode.v;
    const behind = likelihood.evaluate(shifted(minimum.x, k, -h))?.mode.v ?? evaluation.mode.v;
    return Array.from({ length: p }, (_, j) => (ahead[latent + j]! - behind[latent + j]!) / (2 * h));
  });
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < p; j++) {
      for (let k = 0; k < size; k++) {
        for (let l = 0; l < size; l++) {
          total[i]![j]! += slopes[k]![i]! * parameterCovariance[k * size + l]! * slopes[l]![j]!;
        }
      }
    }
  }
  return total;
}

/** The inverse; directions without positive curvature are left out, as a diagnostic says. */
function pseudoInverse(hessian: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  if (!hessian.every(Number.isFinite)) return out.fill(Number.NaN);
  const { values, vectors } = eigen(hessian, size);
  const floor = 1e-10 * Math.max(...values);
  for (const [k, value] of values.entries()) {
    if (!(value > floor)) continue;
    const vector = vectors[k]!;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) out[i * size + j]! += (vector[i]! * vector[j]!) / value;
    }
  }
  return out;
}

function corner(matrix: Float64Array, size: number, from: number, count: number): number[][] {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: count }, (_, j) => matrix[(from + i) * size + from + j]!),
  );
}

/** scale T C T' */
function sandwich(t: readonly number[][], c: readonly number[][], scale: number): number[][] {
  const half = t.map((row) => c.map((_, k) => row.reduce((sum, x, l) => sum + x * c[l]![k]!, 0)));
  return half.map((row) => t.map((other) => scale * inner(row, other)));
}

function scaleComponent<T extends { sd: number[] }>(component: T, scale: number): T {
  return {
    ...component,
    sd: component.sd.map((s) => s * scale),
  };
}

// Where a deviation's best value is zero, the optimizer stops about this near: what is left is its rounding.
const zeroDeviation = 1e-5;

/** Λ with the rows of effects that don't vary set to zero. */
function withoutNoise(lambda: Float64Array, effects: number): Float64Array {
  for (let m = 0; m < effects; m++) {
    const row = lambda.subarray(m * effects, (m + 1) * effects);
    if (inner(row, row) < zeroDeviation ** 2) row.fill(0);
  }
  return lambda;
}

function degeneracyOf(lambda: Float64Array, { effects, design }: Block): Degeneracy {
  const gram = new Float64Array(effects * effects);
  for (let i = 0; i < effects; i++) {
    for (let j = 0; j <= i; j++) {
      for (let k = 0; k < effects; k++)
        gram[i * effects + j]! += lambda[i * effects + k]! * lambda[j * effects + k]!;
    }
  }
  return {
    smallest: Math.sqrt(Math.max(0, eigen(gram, effects).values[0]!)),
    // A tenth of a percent of a unit of the link scale: the row, not only one direction, is nothing.
    zeroEffects: design.columns.filter((_, m) => gram[m * effects + m]! < 1e-6).map(({ name }) => name),
  };
}

/** b = Λu of each group, in the units of the columns. */
function conditionalModes(
  block: Block,
  lambda: Float64Array,
  v: Float64Array,
  responseScale: number,
): ConditionalModes {
  const { effects: p, design, start, scales } = block;
  return {
    group: design.group,
    effects: design.columns.map(({ name }) => name),
    levels: design.levels.map((level, l) => ({
      level,
      values: scales.map((scale, m) => {
        let sum = 0;
        for (let k = 0; k <= m; k++) sum += lambda[m * p + k]! * v[start + l * p + k]!;
        return (sum * responseScale) / scale;
      }),
    })),
  };
}

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
