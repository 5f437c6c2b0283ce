// Chooses smoothing parameters and dispersion by maximizing the restricted likelihood. A penalty whose best value is
// infinite (the surface is straight that way) is stopped at a bound where more of it changes nothing.

import { type Cholesky, cholesky } from "../engine/cholesky.ts";
import { weightedGram } from "../engine/latent.ts";
import { minimize, type Objective } from "../engine/optimize.ts";
import type { PenalizedEvaluation, PenalizedLikelihood } from "./penalized-likelihood.ts";

export interface Smoothed {
  /** log λ_j, then τ. */
  parameters: Float64Array;
  evaluation: PenalizedEvaluation;
  /** Precision of the coefficients' posterior, with the expected curvature, as mgcv has it. */
  precision: Cholesky;
  /** Effective degrees of freedom: the trace of (A'WA + P)⁻¹ A'WA with the expected W. */
  edf: number;
  converged: boolean;
}

// Penalties are scaled to a largest weight of 1; these run from no visible penalty to nothing but straight lines.
const logLambdaRange: readonly [number, number] = [-12, 18];
// The first is enough unless it fails.
const startLogLambdas = [0, 4, -3];
// In units of log-likelihood per unit of a log parameter: flat for every purpose.
const flatGradient = 1e-3;

/** Undefined when no start has a finite likelihood. */
export function smooth(likelihood: PenalizedLikelihood): Smoothed | undefined {
  const { family, y, penalties } = likelihood.problem;
  const count = penalties.length;
  const link = y.map(family.linkOf);
  const mean = link.reduce((sum, x) => sum + x, 0) / link.length;
  const tau = family.startTau(
    y,
    link.map((x) => x - mean),
  );
  let best: Smoothed | undefined;
  for (const start of startLogLambdas) {
    if (best?.converged) break;
    const from = new Float64Array(count + 1).fill(start);
    from[count] = tau;
    const minimum = minimize(bounded(likelihood), from, { tolerance: 1e-9 });
    const evaluation = minimum && likelihood.evaluate(minimum.x);
    if (minimum === undefined || evaluation === undefined) continue;
    const converged = minimum.converged || minimum.gradient.every((g) => Math.abs(g) < flatGradient);
    if (best === undefined || evaluation.logLik > best.evaluation.logLik + 1e-6) {
      best = {
        parameters: minimum.x,
        evaluation,
        converged,
        ...posterior(likelihood, minimum.x, evaluation),
      };
    }
  }
  return best;
}

/** The negative restricted log-likelihood, with a gentle wall beyond the range of log λ. */
function bounded(likelihood: PenalizedLikelihood): Objective {
  const count = likelihood.problem.penalties.length;
  const [low, high] = logLambdaRange;
  return (parameters) => {
    const at = likelihood.evaluate(parameters);
    if (at === undefined) return undefined;
    let value = -at.logLik;
    const gradient = at.gradient.map((g) => -g);
    for (let j = 0; j < count; j++) {
      const beyond = Math.max(0, parameters[j]! - high) + Math.min(0, parameters[j]! - low);
      value += 0.5 * beyond * beyond;
      gradient[j]! += beyond;
    }
    return { value, gradient };
  };
}

function posterior(
  likelihood: PenalizedLikelihood,
  parameters: Float64Array,
  { mode }: PenalizedEvaluation,
): Pick<Smoothed, "precision" | "edf"> {
  const size = mode.v.length;
  const prior = likelihood.precision(parameters);
  const weights = mode.densities.expected.map((x) => -x);
  const matrix = weightedGram(likelihood.problem.design, weights);
  for (let k = 0; k < size; k++) matrix[k * size + k]! += prior[k]!;
  const precision = cholesky(matrix, size) ?? mode.curvature;
  const inverse = precision.inverse();
  // tr(H⁻¹(H − P))
  let edf = size;
  for (let k = 0; k < size; k++) edf -= inverse[k * size + k]! * prior[k]!;
  return { precision, edf };
}
