// A study's models: for all tasks and for each group of tasks, at each generation ratio, a mixed model with a quadratic
// in w_p and its effect; and a response surface where there are enough ratios. What can't be fitted says why. Pure.
import {
  type AppliedTransform,
  fitMixedModel,
  fitSurface,
  type MixedModelFit,
  type QuadraticEffect,
  quadraticEffect,
  type ResponseSurface,
  StatisticsError,
  type TaskGroup,
  taskGroups,
} from "../../statistics/index.ts";
import type { AnalysisSettings } from "./analysis.ts";
import type { StudyResults } from "./results-file.ts";
import { modelRow, type ScoredRow, scoredRows } from "./scored-rows.ts";

/** What a model is over; undefined is everything. */
export interface FitScope {
  readonly taskGroup: TaskGroup | undefined;
  /** Of the cells' data: the geometric mean where ratios within a factor of 1.25 were put together. */
  readonly generationRatio: number | undefined;
}

export interface StudyFit extends FitScope {
  readonly rows: readonly ScoredRow[];
  readonly formula: string;
  readonly fit: MixedModelFit | undefined;
  readonly effect: QuadraticEffect | undefined;
  /** Why there is no fit or no effect. */
  readonly problem: string | undefined;
}

export interface StudySurface {
  readonly taskGroup: TaskGroup | undefined;
  readonly surface: ResponseSurface | undefined;
  readonly problem: string | undefined;
}

export interface StudyFits {
  readonly settings: AnalysisSettings;
  readonly transforms: readonly AppliedTransform[];
  readonly fits: readonly StudyFit[];
  /** Empty where the study has fewer generation ratios than a surface needs. */
  readonly surfaces: readonly StudySurface[];
  readonly notes: readonly string[];
}

/** Ratios within this factor are one; as in `recommend`. */
const SAME_RATIO = 1.25;
const QUADRATIC_LEVELS = 3;
/** A surface's spline along log Rg needs as many. */
const SURFACE_RATIOS = 4;

/**
 * Fits a study's results.
 * @param settings in place of those that the study file gave
 */
export const fitStudy = (results: StudyResults, settings: AnalysisSettings = results.analysis): StudyFits => {
  const { rows, applied, notes } = scoredRows(results.rows, settings);
  const ratios = ratioGroups(rows);
  const scopes = scopesOf(rows);
  const fits = scopes.flatMap((taskGroup) =>
    ratios.map(({ generationRatio, cells }) => {
      const scope = rows.filter((row) => cells.has(row.result.cell) && inGroup(row, taskGroup));
      return { taskGroup, generationRatio, rows: scope, ...fitScope(scope, settings) };
    }),
  );
  const surfaces =
    ratios.length < SURFACE_RATIOS
      ? []
      : scopes.map((taskGroup) => ({
          taskGroup,
          ...surfaceOf(
            rows.filter((row) => inGroup(row, taskGroup)),
            settings,
          ),
        }));
  return { settings, transforms: applied, fits: fits.filter((fit) => fit.rows.length > 0), surfaces, notes };
};

/** All tasks, then each group where there are several. */
const scopesOf = (rows: readonly ScoredRow[]): (TaskGroup | undefined)[] => {
  const present = taskGroups.filter((group) => rows.some(({ result }) => result.taskGroup === group));
  return present.length > 1 ? [undefined, ...present] : [undefined];
};

const inGroup = ({ result }: ScoredRow, group: TaskGroup | undefined): boolean =>
  group === undefined || result.taskGroup === group;

export interface RatioGroup {
  readonly generationRatio: number | undefined;
  readonly cells: ReadonlySet<string>;
}

/** Cells by generation ratio, from the smallest; those without one are together. */
export const ratioGroups = (rows: readonly Pick<ScoredRow, "result">[]): RatioGroup[] => {
  const ofCell = new Map(rows.map(({ result }) => [result.cell, result.generationRatio]));
  const known = [...ofCell].flatMap(([cell, ratio]) => (ratio === null ? [] : [{ cell, ratio }]));
  known.sort((a, b) => a.ratio - b.ratio);
  const groups: { cell: string; ratio: number }[][] = [];
  for (const each of known) {
    const last = groups.at(-1);
    if (last !== undefined && each.ratio <= last[0]!.ratio * SAME_RATIO) last.push(each);
    else groups.push([each]);
  }
  const unknown = [...ofCell].filter(([, ratio]) => ratio === null).map(([cell]) => cell);
  return [
    ...groups.map((group) => ({
      generationRatio: Math.exp(group.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / group.length),
      cells: new Set(group.map(({ cell }) => cell)),
    })),
    ...(unknown.length > 0 ? [{ generationRatio: undefined, cells: new Set(unknown) }] : []),
  ];
};

/** Columns with several levels here, which get a random intercept each. */
const groupingsOf = (rows: readonly ScoredRow[]): string[] => {
  const table = rows.map(modelRow);
  const factors = new Set(rows.flatMap(({ result }) => Object.keys(result.factors)));
  factors.delete("plw");
  return ["benchmark", ...factors].filter((name) => new Set(table.map((row) => row[name])).size > 1);
};

/** Our choice where a study file gives none; the paper's random effects were not available to us. */
const defaultFormula = (rows: readonly ScoredRow[]): string =>
  ["score ~ wp + wp^2", ...groupingsOf(rows).map((name) => `(1|${name})`)].join(" + ");

const fitScope = (
  rows: readonly ScoredRow[],
  settings: AnalysisSettings,
): Pick<StudyFit, "formula" | "fit" | "effect" | "problem"> => {
  const formula = settings.formula ?? defaultFormula(rows);
  let fit: MixedModelFit | undefined;
  const levels = new Set(rows.map(({ result }) => result.plw)).size;
  if (levels < QUADRATIC_LEVELS)
    return {
      ...{ formula, fit, effect: undefined },
      problem: `a quadratic in w_p needs ${QUADRATIC_LEVELS} weights or more, and there are ${levels}`,
    };
  try {
    fit = fitMixedModel(rows.map(modelRow), formula, { family: settings.family });
    const { level, alpha, bootstrap: replicates, seed } = settings;
    const effect = quadraticEffect(fit, {
      ...{ level, alpha },
      ...(replicates > 0 && { bootstrap: { replicates, seed } }),
    });
    return { formula, fit, effect, problem: undefined };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return { formula, fit, effect: undefined, problem: error.message };
  }
};

const surfaceOf = (
  rows: readonly ScoredRow[],
  { family }: AnalysisSettings,
): Pick<StudySurface, "surface" | "problem"> => {
  const known = rows.filter(({ result }) => result.generationRatio !== null);
  // A data set's intercept would take the ratio's own effect away.
  const groups = groupingsOf(known).filter((name) => !determinesRatio(known, name));
  try {
    return { surface: fitSurface(known.map(modelRow), { groups, family }), problem: undefined };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return { surface: undefined, problem: error.message };
  }
};

const determinesRatio = (rows: readonly ScoredRow[], factor: string): boolean => {
  const ratios = new Map<unknown, Set<number | null>>();
  for (const row of rows) {
    const level = modelRow(row)[factor];
    ratios.set(level, (ratios.get(level) ?? new Set()).add(row.result.generationRatio));
  }
  const all = new Set(rows.map(({ result }) => result.generationRatio));
  return all.size > 1 && [...ratios.values()].every((found) => found.size === 1);
};
