// Degrees of freedom of tests on a Gaussian mixed model by Satterthwaite's method, as R's lmerTest has them (Kuznetsova,
// Brockhoff and Christensen 2017; Giesbrecht and Burns 1985): a contrast's variance is a function of the variance
// parameters, and its own variance by the delta method says how many degrees of freedom it is worth.
import { eigen } from "../engine/eigen.ts";
import { differenceStep, shifted } from "../engine/optimize.ts";
import { StatisticsError } from "../errors.ts";
import { fisherUpper, studentTwoSided } from "../special.ts";
import type { MixedModelFit } from "./fit.ts";
import { MixedLikelihood } from "./likelihood.ts";

export interface ContrastDf {
  readonly estimate: number;
  readonly standardError: number;
  readonly df: number;
  readonly t: number;
  readonly p: number;
}

export interface FTest {
  readonly f: number;
  readonly numeratorDf: number;
  readonly denominatorDf: number;
  readonly p: number;
}

export interface Satterthwaite {
  /** A combination of the coefficients, [p]. */
  contrast(weights: readonly number[]): ContrastDf;
  /** Several combinations at once, [q][p], rows independent. */
  joint(rows: readonly (readonly number[])[]): FTest;
}

/** @throws {StatisticsError} for a fit that is not Gaussian by REML */
export function satterthwaite(fit: MixedModelFit): Satterthwaite {
  if (!fit.reml)
    throw new StatisticsError("Satterthwaite's degrees of freedom belong to Gaussian REML fits", {
      hint: "use family gaussian with reml",
    });
  const covarianceAt = covariancesOf(fit);
  const covariance = covarianceAt(fit.state.optimum);
  const dfOf = degreesOfFreedom(fit, covarianceAt);
  const estimates = fit.coefficients.map(({ estimate }) => estimate);
  const contrast = (weights: readonly number[]): ContrastDf => {
    const estimate = weights.reduce((sum, w, j) => sum + w * estimates[j]!, 0);
    const variance = form(covariance, weights, weights);
    const standardError = Math.sqrt(variance);
    const df = dfOf(weights, variance);
    const t = estimate / standardError;
    return { estimate, standardError, df, t, p: studentTwoSided(t, df) };
  };
  return { contrast, joint: (rows) => jointTest(rows, covariance, contrast) };
}

/** The coefficients' covariance, [p][p], by the variance parameters. */
type CovarianceAt = (parameters: Float64Array) => number[][];

function covariancesOf({ state, coefficients: { length: p } }: MixedModelFit): CovarianceAt {
  const { problem, responseScale } = state;
  const likelihood = new MixedLikelihood(problem);
  return (parameters) => {
    const found = likelihood.evaluate(parameters);
    if (found === undefined) throw new StatisticsError("the likelihood has no value beside its maximum");
    const { transform } = problem.fixed;
    const { randomSize } = likelihood;
    const all = randomSize + p;
    const inverse = found.mode.curvature.inverse();
    const inner = transform.map((row) =>
      Array.from({ length: p }, (_, j) =>
        row.reduce((sum, x, k) => sum + x * inverse[(randomSize + k) * all + randomSize + j]!, 0),
      ),
    );
    return inner.map((row) =>
      transform.map((other) => responseScale ** 2 * other.reduce((sum, x, k) => sum + x * row[k]!, 0)),
    );
  };
}

/** What a contrast's variance is worth, by the delta method on the variance parameters. */
function degreesOfFreedom(
  { state: { optimum, hessian } }: MixedModelFit,
  covarianceAt: CovarianceAt,
): (weights: readonly number[], variance: number) => number {
  const slopes = Array.from({ length: optimum.length }, (_, k) => {
    const h = differenceStep(optimum[k]!);
    const ahead = covarianceAt(shifted(optimum, k, h));
    const behind = covarianceAt(shifted(optimum, k, -h));
    return ahead.map((row, i) => row.map((x, j) => (x - behind[i]![j]!) / (2 * h)));
  });
  const { values, vectors } = eigen(hessian, optimum.length);
  const floor = 1e-8 * Math.max(...values);
  return (weights, variance) => {
    // Of the variance w'Cw: its derivatives along the eigenvectors with curvature.
    const gradient = slopes.map((slope) => form(slope, weights, weights));
    let uncertainty = 0;
    for (const [k, value] of values.entries()) {
      if (!(value > floor)) continue;
      const along = vectors[k]!.reduce((sum, x, i) => sum + x * gradient[i]!, 0);
      uncertainty += along ** 2 / value;
    }
    return (2 * variance ** 2) / uncertainty;
  };
}

/** Along the axes in which the combinations' estimates are independent, each a t of its own. */
function jointTest(
  rows: readonly (readonly number[])[],
  covariance: readonly (readonly number[])[],
  contrast: Satterthwaite["contrast"],
): FTest {
  const q = rows.length;
  const matrix = Float64Array.from({ length: q * q }, (_, at) =>
    form(covariance, rows[Math.floor(at / q)]!, rows[at % q]!),
  );
  const { values, vectors } = eigen(matrix, q);
  const tests = values.map((_, k) =>
    contrast(covariance.map((_, j) => rows.reduce((sum, row, i) => sum + vectors[k]![i]! * row[j]!, 0))),
  );
  const f = tests.reduce((sum, { t }) => sum + t * t, 0) / q;
  const denominatorDf = pooledDf(tests.map(({ df }) => df));
  return { f, numeratorDf: q, denominatorDf, p: fisherUpper(f, q, denominatorDf) };
}

/**
 * Of the mean of squared independent t-variables taken for an F: by its expectation (Fai and Cornelius 1996), and 2 where
 * one of them has none, as in lmerTest.
 */
export function pooledDf(df: readonly number[]): number {
  if (df.length === 1 || df.every((x) => Math.abs(x - df[0]!) < 1e-8)) return df[0]!;
  if (df.some((x) => x <= 2)) return 2;
  const expectation = df.reduce((sum, x) => sum + x / (x - 2), 0);
  return (2 * expectation) / (expectation - df.length);
}

function form(matrix: readonly (readonly number[])[], a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (const [j, row] of matrix.entries()) for (const [k, c] of row.entries()) sum += a[j]! * c * b[k]!;
  return sum;
}
