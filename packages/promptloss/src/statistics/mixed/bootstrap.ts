// The parametric bootstrap: draws random effects and responses from a fitted model, refits it from the fitted optimum,
// and hands each refit's coefficients on. Seeded: the same seed, the same replicates.
import { minimizeNear } from "../engine/optimize.ts";
import { StatisticsError } from "../errors.ts";
import { type RandomSource, randomSource } from "../random.ts";
import { objectiveOf } from "./estimate.ts";
import type { MixedModelFit } from "./fit.ts";
import { MixedLikelihood } from "./likelihood.ts";

export interface BootstrapOptions {
  /** Default 400. */
  replicates?: number;
  /** Default 1. */
  seed?: number;
}

export interface Bootstrap {
  /** Coefficients of each refit that arrived, [refits][p]. */
  coefficients: number[][];
  replicates: number;
  /** Refits that didn't reach a maximum. */
  failed: number;
  seed: number;
}

/** Refits `fit` to data drawn from it. @throws {StatisticsError} for a count of replicates that is no whole number */
export function bootstrap(fit: MixedModelFit, options: BootstrapOptions = {}): Bootstrap {
  const { replicates = 400, seed = 1 } = options;
  if (!Number.isInteger(replicates) || replicates < 1) {
    throw new StatisticsError(`replicates must be a whole number from 1, not ${replicates}`);
  }
  const { problem, optimum, hessian, responseScale } = fit.state;
  const source = randomSource(seed);
  const coefficients: number[][] = [];
  for (let r = 0; r < replicates; r++) {
    const y = simulate(fit, source);
    const likelihood = new MixedLikelihood({ ...problem, y });
    const found = minimizeNear(objectiveOf(likelihood), optimum, hessian);
    const evaluation = found && likelihood.evaluate(found.x);
    if (found === undefined || evaluation === undefined) continue;
    const part = likelihood.fixedPart(found.x, evaluation.mode);
    coefficients.push(
      problem.fixed.transform.map((row) => responseScale * row.reduce((sum, t, k) => sum + t * part[k]!, 0)),
    );
  }
  return { coefficients, replicates, failed: replicates - coefficients.length, seed };
}

/** Draws a response for every row, in the likelihood's own scale, [n]. */
function simulate({ state, coefficients }: MixedModelFit, source: RandomSource): Float64Array {
  const { problem, optimum, family, responseScale } = state;
  const likelihood = new MixedLikelihood(problem);
  const latent = new Float64Array(likelihood.randomSize + (problem.reml ? coefficients.length : 0));
  for (let k = 0; k < likelihood.randomSize; k++) latent[k] = source.normal();
  if (problem.reml)
    latent.set(basisOf(problem.fixed.transform, coefficients, responseScale), likelihood.randomSize);
  const dispersion = family.dispersion(optimum[likelihood.layout.tau]!);
  return likelihood.predictorAt(optimum, latent).map((eta, i) => {
    const mu = family.mean(eta);
    if (family.name === "gaussian")
      return mu + Math.hypot(dispersion, Math.sqrt(family.known?.[i] ?? 0)) * source.normal();
    const draw = source.beta(mu * dispersion, (1 - mu) * dispersion);
    // A draw may round to 0 or 1, where the beta has no density.
    return Math.min(Math.max(draw, 1e-12), 1 - 1e-12);
  });
}

/** Solves T γ = β for upper triangular T. */
function basisOf(
  transform: readonly number[][],
  coefficients: readonly { estimate: number }[],
  responseScale: number,
): Float64Array {
  const gamma = new Float64Array(coefficients.length);
  for (let j = coefficients.length - 1; j >= 0; j--) {
    let rest = coefficients[j]!.estimate / responseScale;
    for (let k = j + 1; k < gamma.length; k++) rest -= transform[j]![k]! * gamma[k]!;
    gamma[j] = rest / transform[j]![j]!;
  }
  return gamma;
}
