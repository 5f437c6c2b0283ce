// Where a fitted quadratic in w_p has its best value, with Fieller's and a parametric-bootstrap interval, as w_p and as
// PLW; or, as plainly, that there is no significant relation or no best value inside the range. It judges the fitted
// curve of one formula: whether the observed ends bear it out, and corrections over a study, are weights/'s business.
import type { Row } from "../design/table.ts";
import { StatisticsError } from "../errors.ts";
import { type BootstrapOptions, bootstrap } from "../mixed/bootstrap.ts";
import type { MixedModelFit } from "../mixed/fit.ts";
import { satterthwaite } from "../mixed/satterthwaite.ts";
import { FEWEST_DF } from "../rules.ts";
import { fisherUpper, studentQuantile, studentTwoSided } from "../special.ts";
import { type QuadraticContrasts, quadraticContrasts } from "./contrasts.ts";
import { fiellerInterval } from "./fieller.ts";
import { plwOfWp } from "./plw.ts";
import { sentenceOf } from "./sentence.ts";

export interface QuadraticEffectOptions {
  /** The column that holds w_p. Default "wp". */
  variable?: string;
  /** Values of the columns that interact with it. */
  at?: Row;
  /** Of the intervals. Default 0.95. */
  level?: number;
  /** Below which a p-value counts as significant. Default 0.05. */
  alpha?: number;
  /** Left out: no bootstrap, which takes hundreds of refits. */
  bootstrap?: BootstrapOptions;
}

export interface Interval {
  lower: number;
  upper: number;
}

export interface Tested {
  estimate: number;
  standardError: number;
  /** Student's; Satterthwaite's for REML, else rows less parameters. */
  df: number;
  p: number;
}

/**
 * none: no significant relation, or too few residual degrees of freedom for a verdict. maximum: a significant downward
 * curve with its vertex inside [0, 1], its top above both ends. minimum: an upward one, the score worst inside. monotone:
 * the score rises or falls over the whole range. plateau: a significant curve whose turn is not told from one end.
 */
export type EffectKind = "none" | "maximum" | "minimum" | "monotone" | "plateau";

export interface BootstrapInterval extends Interval {
  replicates: number;
  failed: number;
  seed: number;
  /** Share of the refits whose best w_p lies strictly inside (0, 1). */
  inside: number;
}

export interface QuadraticEffect {
  variable: string;
  at: Row;
  kind: EffectKind;
  level: number;
  alpha: number;
  linear: Tested;
  quadratic: Tested;
  /** Both terms together against none: Wald's statistic as 2 F on 2 degrees of freedom; and the terms' covariance. */
  joint: { statistic: number; p: number; covariance: number };
  /** Rows less parameters. */
  residualDf: number;
  /** The curve's top, or bottom, against its value at w_p 0 and at 1; undefined where the vertex lies outside. */
  againstEnds: readonly [Tested, Tested] | undefined;
  /** The vertex of the fitted curve wherever it lies, on the scale of w_p, with Fieller's interval; infinite ends where the curvature may be 0. */
  vertex: { wp: number; standardError: number } & Interval;
  /** The best w_p and PLW in [0, 1] by the fitted curve; undefined for kind "none". */
  best: { wp: number; plw: number; mean: number } | undefined;
  /** Fieller's interval as PLW, cut to [0, 1]; undefined unless kind is "maximum". */
  plwInterval: Interval | undefined;
  /** Percentile intervals of the best value in [0, 1] over the refits. */
  bootstrap: { wp: BootstrapInterval; plw: BootstrapInterval } | undefined;
  /** The finding in one sentence. */
  sentence: string;
}

/**
 * Reads the effect of w_p off a fit.
 * @throws {StatisticsError} when the formula has no quadratic in the variable
 * @example
 * ```ts
 * import { fitMixedModel, quadraticEffect } from "promptloss";
 *
 * const rows = [0, 0.25, 0.5, 0.75, 1].flatMap((wp) =>
 *   ["a", "b", "c", "d"].map((task, i) => ({ wp, task, score: wp - wp ** 2 + i / 10 + ((i * 7 + wp * 20) % 3) / 100 })),
 * );
 * const { kind, sentence } = quadraticEffect(fitMixedModel(rows, "score ~ wp + I(wp^2) + (1 | task)", { family: "gaussian" }));
 * console.log(`${kind}: ${sentence}`);
 * ```
 */
export function quadraticEffect(fit: MixedModelFit, options: QuadraticEffectOptions = {}): QuadraticEffect {
  const { variable = "wp", at = {}, level = 0.95, alpha = 0.05 } = options;
  for (const [name, value] of Object.entries({ level, alpha })) {
    if (!(value > 0 && value < 1))
      throw new StatisticsError(`${name} must lie between 0 and 1, not ${value}`);
  }
  const contrasts = quadraticContrasts(fit, variable, at);
  const residualDf = fit.observations - fit.parameters;
  const tested = tester(fit, residualDf);
  const linear = tested(contrasts.linear);
  const quadratic = tested(contrasts.quadratic);
  const covariance = form(fit.covariance, contrasts.linear, contrasts.quadratic);
  const joint = jointTest(linear, quadratic, covariance);
  const wp = -linear.estimate / (2 * quadratic.estimate);
  // Delta method: the gradient of −b₁ / 2b₂ is −(1, 2 wp) / 2b₂.
  const variance =
    linear.standardError ** 2 + 4 * wp * covariance + 4 * wp * wp * quadratic.standardError ** 2;
  const standardError = Math.sqrt(variance) / Math.abs(2 * quadratic.estimate);
  const inside = wp > 0 && wp < 1;
  const against = (end: number): Tested =>
    tested(contrasts.linear.map((x, j) => (wp - end) * x + (wp * wp - end * end) * contrasts.quadratic[j]!));
  const againstEnds = inside ? ([against(0), against(1)] as const) : undefined;
  const kind = residualDf < FEWEST_DF ? "none" : kindOf(linear, quadratic, joint.p, againstEnds, alpha);
  const constant = tested(contrasts.constant).estimate;
  const bestWp = bestIn01(linear.estimate, quadratic.estimate, kind);
  const eta = constant + linear.estimate * bestWp + quadratic.estimate * bestWp ** 2;
  const t2 = studentQuantile((1 + level) / 2, quadratic.df) ** 2;
  const slope = [linear.estimate, 2 * quadratic.estimate] as const;
  const vertex = {
    ...{ wp, standardError },
    ...fiellerInterval(
      ...slope,
      linear.standardError ** 2,
      2 * covariance,
      4 * quadratic.standardError ** 2,
      t2,
    ),
  };
  const effect = {
    variable,
    at,
    kind,
    level,
    alpha,
    linear,
    quadratic,
    joint,
    residualDf,
    againstEnds,
    vertex,
    best:
      kind === "none" ? undefined : { wp: bestWp, plw: plwOfWp(bestWp), mean: fit.state.family.mean(eta) },
    plwInterval:
      kind === "maximum"
        ? { lower: plwOfWp(clamp(vertex.lower)), upper: plwOfWp(clamp(vertex.upper)) }
        : undefined,
    bootstrap: options.bootstrap && bootstrapIntervals(fit, contrasts, level, options.bootstrap),
  };
  return { ...effect, sentence: sentenceOf(effect) };
}

/** Tests of combinations of the coefficients by Student's t. */
function tester(fit: MixedModelFit, residualDf: number): (weights: readonly number[]) => Tested {
  if (fit.reml) {
    const { contrast } = satterthwaite(fit);
    return (weights) => {
      const { estimate, standardError, df, p } = contrast(weights);
      return { estimate, standardError, df, p };
    };
  }
  const { coefficients, covariance } = fit;
  return (weights) => {
    const estimate = coefficients.reduce((sum, c, j) => sum + weights[j]! * c.estimate, 0);
    const standardError = Math.sqrt(form(covariance, weights, weights));
    const df = Math.max(1, residualDf);
    return { estimate, standardError, df, p: studentTwoSided(estimate / standardError, df) };
  };
}

function form(matrix: readonly number[][], a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (const [j, row] of matrix.entries()) for (const [k, c] of row.entries()) sum += a[j]! * c * b[k]!;
  return sum;
}

function jointTest(linear: Tested, quadratic: Tested, covariance: number): QuadraticEffect["joint"] {
  const [a, b] = [linear.standardError ** 2, quadratic.standardError ** 2];
  const [x, y] = [linear.estimate, quadratic.estimate];
  const statistic = (b * x * x - 2 * covariance * x * y + a * y * y) / (a * b - covariance * covariance);
  return { statistic, p: fisherUpper(statistic / 2, 2, Math.min(linear.df, quadratic.df)), covariance };
}

function kindOf(
  linear: Tested,
  quadratic: Tested,
  jointP: number,
  againstEnds: readonly [Tested, Tested] | undefined,
  alpha: number,
): EffectKind {
  if (!(jointP < alpha)) return "none";
  if (!(quadratic.p < alpha)) return linear.estimate + quadratic.estimate === 0 ? "none" : "monotone";
  if (againstEnds === undefined) return "monotone";
  if (!againstEnds.every(({ p }) => p < alpha)) return "plateau";
  return quadratic.estimate < 0 ? "maximum" : "minimum";
}

/** Where the curve is highest in [0, 1]; at an end unless it has a maximum inside. */
function bestIn01(linear: number, quadratic: number, kind?: EffectKind): number {
  const vertex = -linear / (2 * quadratic);
  if (quadratic < 0 && vertex > 0 && vertex < 1 && (kind === undefined || kind === "maximum")) return vertex;
  return linear + quadratic > 0 ? 1 : 0;
}

function clamp(x: number): number {
  return Math.min(1, Math.max(0, x));
}

function bootstrapIntervals(
  fit: MixedModelFit,
  { linear, quadratic }: QuadraticContrasts,
  level: number,
  options: BootstrapOptions,
): { wp: BootstrapInterval; plw: BootstrapInterval } {
  const { coefficients, replicates, failed, seed } = bootstrap(fit, options);
  if (coefficients.length < 20) {
    throw new StatisticsError(
      `only ${coefficients.length} of ${replicates} bootstrap refits arrived: too few for an interval`,
      {
        hint: "ask for more replicates, or look at the fit's warnings",
      },
    );
  }
  const weigh = (weights: readonly number[], beta: readonly number[]): number =>
    beta.reduce((sum, x, j) => sum + weights[j]! * x, 0);
  const best = coefficients
    .map((beta) => bestIn01(weigh(linear, beta), weigh(quadratic, beta)))
    .sort((a, b) => a - b);
  const lower = quantile(best, (1 - level) / 2);
  const upper = quantile(best, (1 + level) / 2);
  const inside = best.filter((x) => x > 0 && x < 1).length / best.length;
  const counts = { replicates, failed, seed, inside };
  return {
    wp: { lower, upper, ...counts },
    plw: { lower: plwOfWp(lower), upper: plwOfWp(upper), ...counts },
  };
}

/** Of sorted values, linear between order statistics (Hyndman and Fan's type 7, R's default). */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
