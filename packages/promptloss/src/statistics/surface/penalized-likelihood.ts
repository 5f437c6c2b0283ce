// The restricted likelihood of a penalized regression by the Laplace approximation, with its exact gradient: latent
// coefficients with a Gaussian prior of precision Σ_j λ_j d_jk, flat where all d are 0. Parameters: log λ_j and τ.
// Smoothing parameters by REML, as in Wood (2011) and mgcv's method = "REML".
import { adjoint, findMode, type LatentProblem, type Mode } from "../engine/laplace.ts";
import type { LatentDesign } from "../engine/latent.ts";
import type { Family } from "../family/family.ts";

export interface PenalizedProblem {
  family: Family;
  /** [n] */
  y: Float64Array;
  design: LatentDesign;
  /** d_jk: each penalty's weight of each coefficient, [penalties][size]. */
  penalties: readonly Float64Array[];
}

export interface PenalizedEvaluation {
  logLik: number;
  gradient: Float64Array;
  mode: Mode;
}

export class PenalizedLikelihood {
  readonly problem: PenalizedProblem;
  #start: Float64Array;

  constructor(problem: PenalizedProblem) {
    this.problem = problem;
    this.#start = new Float64Array(problem.design.size);
  }

  /** Prior precisions at log λ, [size]. */
  precision(logLambda: ArrayLike<number>): Float64Array {
    const out = new Float64Array(this.problem.design.size);
    for (const [j, weights] of this.problem.penalties.entries()) {
      const lambda = Math.exp(logLambda[j]!);
      for (let k = 0; k < out.length; k++) out[k]! += lambda * weights[k]!;
    }
    return out;
  }

  /** At parameters (log λ_j, τ); undefined where there is no finite approximation. */
  evaluate(parameters: Float64Array): PenalizedEvaluation | undefined {
    const { family, y, design, penalties } = this.problem;
    const precision = this.precision(parameters);
    const tau = parameters[penalties.length]!;
    const offset = new Float64Array(y.length);
    const latent: LatentProblem = { family, y, tau, offset, design, precision };
    const mode = findMode(latent, this.#start);
    if (mode === undefined) return undefined;
    this.#start = mode.v;
    let logLik = mode.value;
    for (const p of precision) logLik += p > 0 ? 0.5 * Math.log(p) : 0.5 * Math.log(2 * Math.PI);
    const { tau: dTau, inverse, pull } = adjoint(latent, mode);
    const gradient = new Float64Array(penalties.length + 1);
    gradient[penalties.length] = dTau;
    for (const [j, weights] of penalties.entries()) {
      const lambda = Math.exp(parameters[j]!);
      for (let k = 0; k < design.size; k++) {
        const d = lambda * weights[k]!;
        if (d === 0) continue;
        const v = mode.v[k]!;
        // The prior's constant, its exponent, the log-determinant, and the mode's answer.
        gradient[j]! +=
          d * (0.5 / precision[k]! - 0.5 * v * v - 0.5 * inverse[k * design.size + k]! + pull[k]! * v);
      }
    }
    return { logLik, gradient, mode };
  }
}
