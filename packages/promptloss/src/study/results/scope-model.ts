// The mixed model that a statement is printed and drawn with, its curve under the statement's claim, and the other
// family's view beside it. Pure.
import {
  effectCurve,
  fitMixedModel,
  type MixedModelFit,
  type QuadraticEffect,
  quadraticEffect,
  StatisticsError,
  studentTwoSided,
  type WeightAnalysis,
  type WeightFinding,
} from "../../statistics/index.ts";
import type { AnalysisSettings } from "./analysis.ts";
import { modelRow, SAMPLING_ERROR, type ScoredRow, scoredRows } from "./scored-rows.ts";

/** The other family's test of any relation. */
export interface Beside {
  readonly family: "beta" | "gaussian";
  /** Of any relation, with Student's t at the finding's degrees of freedom; uncorrected. */
  readonly p: number;
  /** Whether it falls on the same side of the level as the finding's uncorrected p. */
  readonly agrees: boolean;
  readonly sentence: string;
}

export interface ScopeModel {
  readonly formula: string;
  readonly fit: MixedModelFit | undefined;
  readonly effect: QuadraticEffect | undefined;
  readonly beside: Beside | undefined;
  readonly problem: string | undefined;
}

/** Fewer weights are compared, not joined by a curve. */
const CURVE_LEVELS = 4;

export function scopeModel(
  rows: readonly ScoredRow[],
  finding: WeightFinding | undefined,
  analysis: WeightAnalysis | undefined,
  settings: AnalysisSettings,
): ScopeModel {
  const formula = settings.formula ?? defaultFormula(rows);
  const none = { formula, fit: undefined, effect: undefined, beside: undefined };
  const levels = new Set(rows.map(({ result }) => result.plw)).size;
  // A formula of the user's own is fitted whatever it is of.
  if (settings.formula === undefined && levels < CURVE_LEVELS)
    return {
      ...none,
      problem: `a curve needs ${CURVE_LEVELS} weights or more, and there are ${levels}: their means and differences stand alone`,
    };
  let fit: MixedModelFit | undefined;
  try {
    const { family, level, alpha, bootstrap: replicates, seed } = settings;
    fit = fitMixedModel(rows.map(modelRow), formula, { family, reml: family === "gaussian", ...known(rows) });
    const effect = quadraticEffect(fit, {
      ...{ level, alpha },
      ...(replicates > 0 && { bootstrap: { replicates, seed } }),
    });
    return {
      ...{ formula, fit, problem: undefined },
      effect: finding && claimed(effect, finding, fit),
      beside: finding && analysis && besideOf(rows, finding, analysis, formula, settings),
    };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return { ...none, fit, problem: error.message };
  }
}

/** The column of sampling errors, where any is known; a score without one has 0. */
function known(rows: readonly ScoredRow[]): { samplingError?: string } {
  return rows.some(({ samplingError }) => samplingError !== undefined)
    ? { samplingError: SAMPLING_ERROR }
    : {};
}

/**
 * Each task's own curve, what a run's scores share, and the level of each block. Our choice; the paper's random effects
 * were not available to us.
 */
export function defaultFormula(rows: readonly ScoredRow[]): string {
  const several = (label: (row: ScoredRow) => string): boolean => new Set(rows.map(label)).size > 1;
  const tasks = several(({ benchmark }) => benchmark);
  const blocks = several(({ block }) => block);
  return [
    "score ~ wp + wp^2",
    ...(tasks ? ["(0 + wp + wp^2|benchmark)"] : []),
    ...(tasks || blocks ? ["(1|block)"] : []),
    ...(tasks ? ["(1|cell)"] : []),
  ].join(" + ");
}

const kinds: Readonly<Record<WeightFinding["shape"], QuadraticEffect["kind"]>> = {
  peak: "maximum",
  valley: "minimum",
  rises: "monotone",
  falls: "monotone",
  "rises, then flat": "monotone",
  "flat, then rises": "monotone",
  "falls, then flat": "monotone",
  "flat, then falls": "monotone",
  curved: "none",
  irregular: "none",
  flat: "none",
  "no verdict": "none",
};

/** The model's curve says no more than the finding does; the mean at the finding's best weight is the model's there. */
function claimed(effect: QuadraticEffect, finding: WeightFinding, fit: MixedModelFit): QuadraticEffect {
  const { shape, best, interval, vertex, verdict } = finding;
  const kind = kinds[shape];
  return {
    ...effect,
    kind,
    vertex:
      vertex === undefined
        ? effect.vertex
        : { ...effect.vertex, wp: vertex.wp, lower: vertex.lower, upper: vertex.upper },
    best: kind === "none" ? undefined : { ...best, mean: effectCurve(fit, { wps: [best.wp] })[0]!.mean },
    plwInterval: interval?.plw,
    bootstrap: kind === "maximum" ? effect.bootstrap : undefined,
    sentence: verdict,
  };
}

/** Wald's statistics of the other family's trend and curvature, taken for t. */
function besideOf(
  rows: readonly ScoredRow[],
  { alpha }: WeightFinding,
  { projection, relation, variances, table, judged }: WeightAnalysis,
  formula: string,
  settings: AnalysisSettings,
): Beside | undefined {
  const family = settings.family === "beta" ? "gaussian" : "beta";
  if (projection.slopeAt === undefined || relation.curvature === undefined || !judged) return undefined;
  try {
    const { rows: scored } = scoredRows(rows, { ...settings, family, transforms: undefined });
    const fit = fitMixedModel(scored.map(modelRow), formula, { family, reml: family === "gaussian" });
    const { linear, quadratic, joint } = quadraticEffect(fit);
    const [constant, slope] = projection.slopeAt;
    // The trend is the slope at this w_p, where it is uncorrelated with the curvature.
    const middle = -constant[1]! / slope[1]!;
    const trend = linear.estimate + 2 * middle * quadratic.estimate;
    const variance =
      linear.standardError ** 2 +
      4 * middle * joint.covariance +
      4 * middle ** 2 * quadratic.standardError ** 2;
    // Maximum likelihood divides by the number of cells, where the residual degrees of freedom are due.
    const shrink = family === "beta" ? Math.sqrt(variances.df / table.cells.length) : 1;
    const p = Math.min(
      1,
      2 *
        Math.min(
          studentTwoSided((shrink * trend) / Math.sqrt(variance), relation.trend.df),
          studentTwoSided((shrink * quadratic.estimate) / quadratic.standardError, relation.curvature.df),
        ),
    );
    const agrees = p < alpha === relation.p < alpha;
    const side = (value: number): string => (value < alpha ? "a relation" : "no relation");
    const sentence = agrees
      ? `the ${family} family agrees (${side(p)}, uncorrected p ${Number(p.toPrecision(2))})`
      : `the families disagree: uncorrected, the ${family} one sees ${side(p)} (p ${Number(p.toPrecision(2))}), the comparison ` +
        `of z-scores ${side(relation.p)} (p ${Number(relation.p.toPrecision(2))}); what depends on the scale is no finding`;
    return { family, p, agrees, sentence };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return undefined;
  }
}
