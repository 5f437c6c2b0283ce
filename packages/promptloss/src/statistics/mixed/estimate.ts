// Finds the maximum of a mixed model's likelihood: a start from the linear fit on the link scale, and other starts
// where that one doesn't reach a maximum.
import { type Minimum, minimize, type Objective } from "../engine/optimize.ts";
import { type Evaluation, MixedLikelihood, type MixedProblem } from "./likelihood.ts";

export interface Estimate {
  likelihood: MixedLikelihood;
  minimum: Minimum;
  /** The likelihood at the maximum. */
  evaluation: Evaluation;
  /** Starting points tried. */
  starts: number;
}

// Shares of the residual deviation that the random effects begin with; the later ones are a fall-back.
const startShares = [0.5, 0.1, 1.5, 0.02];

/** Maximizes the likelihood, from `start` first when given. Undefined when no start has a finite likelihood. */
export function estimate(problem: MixedProblem, start?: Float64Array): Estimate | undefined {
  const likelihood = new MixedLikelihood(problem);
  const objective = objectiveOf(likelihood);
  const starts = startShares.map((share) => defaultStart(likelihood, share));
  if (start !== undefined) starts.unshift(start);
  let best: Minimum | undefined;
  let tried = 0;
  for (const from of starts) {
    tried++;
    const minimum = minimize(objective, from);
    if (
      minimum !== undefined &&
      (best === undefined || minimum.value < best.value - 1e-9 || minimum.converged)
    ) {
      if (best === undefined || minimum.value < best.value + 1e-6) best = minimum;
    }
    if (best?.converged) break;
  }
  const evaluation = best && likelihood.evaluate(best.x);
  if (best === undefined || evaluation === undefined) return undefined;
  return { likelihood, minimum: best, evaluation, starts: tried };
}

/** The negative log-likelihood with its gradient. */
export function objectiveOf(likelihood: MixedLikelihood): Objective {
  return (parameters) => {
    const at = likelihood.evaluate(parameters);
    return at && { value: -at.logLik, gradient: at.gradient.map((g) => -g) };
  };
}

function defaultStart(likelihood: MixedLikelihood, share: number): Float64Array {
  const { family, y, fixed, blocks } = likelihood.problem;
  const { length, blocks: blockStarts, tau, fixed: fixedParameters } = likelihood.layout;
  const parameters = new Float64Array(length);
  const residuals = y.map(family.linkOf);
  for (const [j, column] of fixed.basis.entries()) {
    let projection = 0;
    for (let i = 0; i < y.length; i++) projection += (column[i]! * residuals[i]!) / y.length;
    for (let i = 0; i < y.length; i++) residuals[i]! -= projection * column[i]!;
    if (j < fixedParameters) parameters[j] = projection;
  }
  const deviation = Math.sqrt(residuals.reduce((sum, r) => sum + r * r, 0) / y.length);
  for (const [b, block] of blocks.entries()) {
    for (const [t, [m, k]] of block.entries.entries()) {
      // A share each: the columns have root mean square 1.
      if (m === k) parameters[blockStarts[b]! + t] = (share * deviation) / Math.sqrt(block.effects);
    }
  }
  parameters[tau] = family.startTau(y, residuals);
  return parameters;
}
