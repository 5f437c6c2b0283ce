// Comparisons of fits of the same rows: likelihood-ratio tests where one is nested in the next, AIC and BIC where not.
// Refuses what neither covers: other rows, other families, REML fits with different fixed effects.
import { orthogonalize } from "../design/orthogonalize.ts";
import { StatisticsError } from "../errors.ts";
import { chiSquareUpper } from "../special.ts";
import type { MixedModelFit } from "./fit.ts";

export interface ComparisonRow {
  formula: string;
  parameters: number;
  aic: number;
  bic: number;
  logLik: number;
  /** Against the row above; undefined in the first, and where that is not nested in this one. */
  test: LikelihoodRatioTest | undefined;
  /** Why the row above is not nested in this one. */
  notNested: string | undefined;
}

export interface LikelihoodRatioTest {
  /** 2 (logLik − logLik of the smaller model) */
  statistic: number;
  degreesOfFreedom: number;
  /** Upper tail of the chi-square distribution. */
  p: number;
  /** The smaller model sets a variance to zero, the edge of its range: the true p is smaller than this one. */
  conservative: boolean;
}

/** Compares two fits or more, smallest first. @throws {StatisticsError} for fits of which not even AIC can be compared */
export function compareModels(fits: readonly MixedModelFit[]): ComparisonRow[] {
  if (fits.length < 2) throw new StatisticsError(`a comparison needs two fits at least, not ${fits.length}`);
  const ordered = [...fits].sort((a, b) => a.parameters - b.parameters);
  return ordered.map((fit, i) => {
    const { formula, parameters, aic, bic, logLik } = fit;
    const before = ordered[i - 1];
    const fault = before && whyNotComparable(before, fit);
    if (fault !== undefined)
      throw new StatisticsError(`"${before!.formula}" and "${formula}" can't be compared: ${fault}`);
    const notNested = before && whyNotNested(before, fit);
    const test =
      before === undefined || notNested !== undefined ? undefined : likelihoodRatioTest(before, fit);
    return { formula, parameters, aic, bic, logLik, test, notNested };
  });
}

/** Tests `smaller` against `larger`. @throws {StatisticsError} when the first isn't nested in the second */
export function likelihoodRatioTest(smaller: MixedModelFit, larger: MixedModelFit): LikelihoodRatioTest {
  const fault = whyNotComparable(smaller, larger) ?? whyNotNested(smaller, larger);
  if (fault !== undefined) {
    throw new StatisticsError(`"${smaller.formula}" is not nested in "${larger.formula}": ${fault}`, {
      hint: "compare models that are not nested by AIC or BIC",
    });
  }
  const degreesOfFreedom = larger.parameters - smaller.parameters;
  // Below zero only by what the optimizer leaves.
  const statistic = Math.max(0, 2 * (larger.logLik - smaller.logLik));
  const variances = (fit: MixedModelFit): number =>
    fit.varianceComponents.reduce((sum, { sd }) => sum + sd.length, 0);
  return {
    statistic,
    degreesOfFreedom,
    p: chiSquareUpper(statistic, degreesOfFreedom),
    conservative: variances(larger) > variances(smaller),
  };
}

/** Why neither a likelihood-ratio test nor AIC has a meaning. */
function whyNotComparable(smaller: MixedModelFit, larger: MixedModelFit): string | undefined {
  const [a, b] = [smaller.state.frame, larger.state.frame];
  if (smaller.family !== larger.family) return `the families differ (${smaller.family}, ${larger.family})`;
  if (smaller.reml !== larger.reml) return "one is a REML fit, the other not";
  if (a.rows !== b.rows || a.response.some((y, i) => y !== b.response[i]))
    return "they were fitted to different rows";
  if (smaller.samplingError !== larger.samplingError) return "they take other sampling errors for known";
  const shared = orthogonalize([...a.fixed, ...b.fixed]).kept.length;
  if (
    smaller.reml &&
    (shared > smaller.coefficients.length || smaller.coefficients.length !== larger.coefficients.length)
  ) {
    return "REML likelihoods compare only models with the same fixed effects";
  }
  return undefined;
}

function whyNotNested(smaller: MixedModelFit, larger: MixedModelFit): string | undefined {
  const [a, b] = [smaller.state.frame, larger.state.frame];
  if (larger.parameters <= smaller.parameters) return "they have as many parameters";
  const span = orthogonalize([...b.fixed, ...a.fixed]);
  const outside = span.kept
    .filter((at) => at >= b.fixed.length)
    .map((at) => a.fixed[at - b.fixed.length]!.name);
  if (outside.length > 0) return `only the smaller one has ${outside.join(", ")}`;
  for (const component of smaller.varianceComponents) {
    const host = larger.varianceComponents.find(
      ({ group, effects, uncorrelated }) =>
        group === component.group &&
        component.effects.every((effect) => effects.includes(effect)) &&
        (component.uncorrelated || component.effects.length === 1 || !uncorrelated),
    );
    if (host === undefined)
      return `only the smaller one has (${component.effects.join(" + ")} | ${component.group})`;
  }
  return undefined;
}
