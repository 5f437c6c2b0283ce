// What a study says of weights: for all tasks, each group of tasks and each benchmark, at each generation ratio, a
// finding (tests, shape, verdict) corrected for all of them; a mixed model to print and draw; and a response surface
// where there are enough ratios. What can't be said says why. Pure.
import {
  type AppliedTransform,
  analyzeWeights,
  type CorrectedAnalysis,
  type CorrectedStages,
  correctedTests,
  findingOf,
  fitSurface,
  type Interaction,
  type MixedModelFit,
  type QuadraticEffect,
  type ResponseSurface,
  StatisticsError,
  stagesOf,
  type TaskGroup,
  taskGroups,
  type WeightAnalysis,
  type WeightFinding,
} from "../../statistics/index.ts";
import type { AnalysisSettings } from "./analysis.ts";
import { groupedBy } from "./grouped.ts";
import { type FactorLevels, factorLevels, interactionSentence } from "./interactions.ts";
import type { StudyResults } from "./results-file.ts";
import { type Beside, type ScopeModel, scopeModel } from "./scope-model.ts";
import {
  modelRow,
  type ScoredRow,
  scoredRows,
  type UsableRow,
  usableRows,
  weightRow,
} from "./scored-rows.ts";

/** What a statement is over; undefined is everything. */
export interface FitScope {
  readonly taskGroup: TaskGroup | undefined;
  /** Of the cells' data: the geometric mean where ratios within a factor of 1.25 were put together. */
  readonly generationRatio: number | undefined;
  /** A single benchmark's statement names it. */
  readonly benchmark: string | undefined;
}

export interface StudyFit extends FitScope {
  readonly rows: readonly ScoredRow[];
  /** Within these rows. */
  readonly transforms: readonly AppliedTransform[];
  /** What may be said, corrected for all that the study tests; undefined where there is nothing to compare. */
  readonly finding: WeightFinding | undefined;
  readonly formula: string;
  /** The model that is printed and drawn. */
  readonly fit: MixedModelFit | undefined;
  /** The model's curve, with the finding's claim, interval and sentence. */
  readonly effect: QuadraticEffect | undefined;
  /** The other family's p-value, and whether it agrees. */
  readonly beside: Beside | undefined;
  /** Why there is no finding, no model or no effect. */
  readonly problem: string | undefined;
}

export interface StudyInteraction {
  readonly generationRatio: number | undefined;
  readonly factor: string;
  /** That the levels' curves differ, about these tasks; undefined where too few cells tell. */
  readonly test: (Interaction & { readonly correctedP: number }) | undefined;
  readonly levels: readonly { readonly level: string; readonly finding: WeightFinding | undefined }[];
  readonly sentence: string;
}

export interface StudySurface {
  readonly taskGroup: TaskGroup | undefined;
  /**
   * On the average over all ratios, by the same comparisons as at one ratio and corrected with them: blocks of one ratio
   * each, so that how ratios differ counts as noise. What holds at a ratio is that ratio's own finding. Undefined where
   * there is nothing to compare.
   */
  readonly finding: WeightFinding | undefined;
  readonly surface: ResponseSurface | undefined;
  readonly problem: string | undefined;
}

export interface StudyFits {
  readonly settings: AnalysisSettings;
  /** Over all tasks and over groups of tasks. */
  readonly fits: readonly StudyFit[];
  /** Of each benchmark alone, where there are several. */
  readonly benchmarks: readonly StudyFit[];
  /** PLW × each other factor with several levels, for all tasks. */
  readonly interactions: readonly StudyInteraction[];
  /** Empty where the study has fewer generation ratios than a surface needs. */
  readonly surfaces: readonly StudySurface[];
  /** Benchmarks at chance, set aside. */
  readonly atChance: readonly string[];
  /** Number of statements that p-values are corrected for. */
  readonly tested: number;
  readonly notes: readonly string[];
}

export interface FitStudyOptions {
  /** Tables of differences, models that are printed and drawn, fitted surfaces. Default true; no verdict needs them. */
  readonly models?: boolean;
}

/** Ratios within this factor are one; as in `recommend`. */
const SAME_RATIO = 1.25;
/** A surface's spline along log Rg needs as many. */
const SURFACE_RATIOS = 4;

/**
 * Fits a study's results.
 * @param settings in place of those that the study file gave
 * @example
 * ```ts
 * import { fitStudy, readStudyResults } from "promptloss";
 *
 * const { fits } = fitStudy(readStudyResults("runs/study"));
 * for (const { finding } of fits) console.log(finding?.verdict);
 * ```
 */
export function fitStudy(
  results: StudyResults,
  settings: AnalysisSettings = results.analysis,
  { models = true }: FitStudyOptions = {},
): StudyFits {
  const { rows, atChance, notes } = usableRows(results.rows, settings);
  const ratios = ratioGroups(rows);
  const studied = analyzedScopes(rows, ratios, settings);
  const factors = ratios.flatMap(({ cells, generationRatio }) =>
    factorLevels(
      rows.filter(({ result }) => cells.has(result.cell)),
      settings.level,
    ).map((factor) => ({ generationRatio, ...factor })),
  );
  const surfaced = analyzedSurfaces(rows, ratios, settings);
  const statements = statementsOf(studied, factors, surfaced);
  const decisions = decided(statements, settings, models);
  const fits = studied.map(({ analysis, problem, rows: own, ...scope }, k): StudyFit => {
    const { finding } = decisions[k]!;
    const model = modelOf(own, finding, analysis, settings, models);
    return Object.freeze({ ...scope, finding, ...model, problem: problem ?? model.problem });
  });
  const ofSurfaces = decisions.slice(statements.length - surfaced.length);
  const surfaces = surfaced.map(({ taskGroup, rows: own }, k) =>
    Object.freeze({
      ...{ taskGroup, finding: ofSurfaces[k]!.finding },
      ...(models ? surfaceOf(own, settings) : { surface: undefined, problem: undefined }),
    }),
  );
  return Object.freeze({
    settings,
    fits: fits.filter(({ benchmark }) => benchmark === undefined),
    benchmarks: benchmarkFits(fits, rows),
    interactions: interactionsOf(factors, decisions.slice(studied.length)),
    surfaces,
    atChance,
    tested: statements.filter(isTested).length,
    notes,
  });
}

type AnalyzedRows = Analyzed & { readonly rows: readonly UsableRow[] };
type AnalyzedScope = AnalyzedRows & FitScope;
type AnalyzedSurface = AnalyzedRows & Pick<StudySurface, "taskGroup">;
type StudiedFactor = FactorLevels & Pick<StudyInteraction, "generationRatio">;

/** Everything, each group of tasks and each benchmark, at each ratio where it has rows. */
function analyzedScopes(
  rows: readonly UsableRow[],
  ratios: readonly RatioGroup[],
  settings: AnalysisSettings,
): AnalyzedScope[] {
  const groups = scopesOf(rows);
  const names = [...new Set(rows.map(({ benchmark }) => benchmark))];
  const scopes = [
    ...groups.map((taskGroup) => ({ taskGroup, benchmark: undefined })),
    // A group's only benchmark has the group's statement: one test, counted once.
    ...(names.length > 1 ? names : [])
      .filter((benchmark) => !groups.some((group) => group && only(rows, group) === benchmark))
      .map((benchmark) => ({ taskGroup: undefined, benchmark })),
  ];
  return scopes.flatMap(({ taskGroup, benchmark }) =>
    ratios.flatMap(({ cells, generationRatio }) => {
      const own = rows.filter(
        (row) =>
          cells.has(row.result.cell) &&
          inGroup(row, taskGroup) &&
          (benchmark === undefined || benchmark === row.benchmark),
      );
      if (own.length === 0) return [];
      return [{ taskGroup, benchmark, generationRatio, rows: own, ...analysisOf(own, settings) }];
    }),
  );
}

/** The rows of each surface, in blocks of one ratio; none where there are too few ratios. */
function analyzedSurfaces(
  rows: readonly UsableRow[],
  ratios: readonly RatioGroup[],
  settings: AnalysisSettings,
): AnalyzedSurface[] {
  if (ratios.length < SURFACE_RATIOS) return [];
  return scopesOf(rows).map((taskGroup) => {
    const own = ratios
      .filter(({ generationRatio }) => generationRatio !== undefined)
      .flatMap(({ cells, generationRatio }) =>
        rows
          .filter((row) => cells.has(row.result.cell) && inGroup(row, taskGroup))
          .map((row) => ({ ...row, block: `Rg ${generationRatio}, ${row.block}` })),
      );
    return { taskGroup, rows: own, ...analysisOf(own, settings) };
  });
}

/** In the order in which decisions are read: scopes, each factor's test and its levels, surfaces. */
function statementsOf(
  studied: readonly AnalyzedScope[],
  factors: readonly StudiedFactor[],
  surfaced: readonly AnalyzedSurface[],
): Statement[] {
  return [
    ...studied.map(({ analysis, taskGroup, benchmark }) => ({
      analysis,
      overall: taskGroup === undefined && benchmark === undefined,
    })),
    ...factors.flatMap(({ test, levels }) => [
      { overall: false, p: test?.p },
      ...levels.map(({ analysis }) => ({ overall: false, analysis })),
    ]),
    ...surfaced.map(({ analysis, taskGroup }) => ({ analysis, overall: taskGroup === undefined })),
  ];
}

/** Of each benchmark alone; a group's only one has the group's statement, under its own name. */
function benchmarkFits(fits: readonly StudyFit[], rows: readonly UsableRow[]): StudyFit[] {
  return fits.flatMap((fit) => {
    if (fit.benchmark !== undefined) return [fit];
    const benchmark = fit.taskGroup && only(rows, fit.taskGroup);
    return benchmark === undefined ? [] : [Object.freeze({ ...fit, taskGroup: undefined, benchmark })];
  });
}

/** @param decisions of each factor's test and then of its levels, in order */
function interactionsOf(
  factors: readonly StudiedFactor[],
  decisions: readonly Decided[],
): StudyInteraction[] {
  let at = 0;
  return factors.map(({ generationRatio, factor, test, levels, problem }) => {
    const correctedP = decisions[at++]!.correctedP;
    const found = levels.map(({ level }) => ({ level, finding: decisions[at++]!.finding }));
    const whole = test && correctedP !== undefined ? { ...test, correctedP } : undefined;
    const sentence = interactionSentence(factor, whole, problem);
    return Object.freeze({ generationRatio, factor, test: whole, levels: found, sentence });
  });
}

interface Analyzed {
  readonly analysis: WeightAnalysis | undefined;
  readonly problem: string | undefined;
}

function analysisOf(rows: readonly UsableRow[], { level }: AnalysisSettings): Analyzed {
  try {
    return { analysis: analyzeWeights(rows.map(weightRow), level), problem: undefined };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return { analysis: undefined, problem: error.message };
  }
}

/** What p-values are corrected over: a comparison of weights, or a test of another kind with its p-value. */
interface Statement {
  /** Over all tasks: these share half of the error. */
  readonly overall: boolean;
  readonly analysis?: WeightAnalysis | undefined;
  readonly p?: number | undefined;
}

interface Decided {
  readonly correctedP: number | undefined;
  readonly finding: WeightFinding | undefined;
}

/** Whether anything is tested: an analysis of too few cells is not. */
function isTested({ analysis, p }: Statement): boolean {
  return p !== undefined || analysis?.judged === true;
}

/** One correction over all statements, then what each may say. */
function decided(
  statements: readonly Statement[],
  { alpha, level }: AnalysisSettings,
  differences: boolean,
): Decided[] {
  const tested = statements.filter(isTested);
  const first = tested.filter(({ overall }) => overall).length;
  const rest = tested.length - first;
  const chains = tested.map(({ analysis, p, overall }) => ({
    share: rest === 0 || first === 0 ? 1 : overall ? 0.5 / first : 0.5 / rest,
    ...(analysis === undefined
      ? { stages: [() => [p!]], read: ([own]: CorrectedStages) => ({ relation: own![0]!, ends: undefined }) }
      : stagesOf(analysis)),
  }));
  const corrected = correctedTests(chains, alpha);
  const found = new Map<Statement, CorrectedAnalysis>(
    tested.map((statement, k) => [statement, chains[k]!.read(corrected[k]!)]),
  );
  return statements.map((statement) => {
    const own = found.get(statement);
    return {
      correctedP: own?.relation,
      finding:
        statement.analysis &&
        findingOf(statement.analysis, {
          ...{ alpha, level, differences },
          corrected: own ?? { relation: 1, ends: undefined },
        }),
    };
  });
}

/** All tasks, then each group where there are several. */
function scopesOf(rows: readonly UsableRow[]): (TaskGroup | undefined)[] {
  const present = taskGroups.filter((group) => rows.some(({ result }) => result.taskGroup === group));
  return present.length > 1 ? [undefined, ...present] : [undefined];
}

/** The only benchmark of a group; undefined where it has several. */
function only(rows: readonly UsableRow[], group: TaskGroup): string | undefined {
  const names = new Set(rows.filter((row) => inGroup(row, group)).map(({ benchmark }) => benchmark));
  return names.size === 1 ? [...names][0] : undefined;
}

function inGroup({ result }: UsableRow, group: TaskGroup | undefined): boolean {
  return group === undefined || result.taskGroup === group;
}

export interface RatioGroup {
  readonly generationRatio: number | undefined;
  readonly cells: ReadonlySet<string>;
}

/** Cells by generation ratio, from the smallest; those without one are together. */
export function ratioGroups(rows: readonly Pick<UsableRow, "result">[]): RatioGroup[] {
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
}

/** Whether a row's benchmark has different scores in some block of these rows. */
function varies(rows: readonly UsableRow[]): (row: UsableRow) => boolean {
  const seen = new Map<string, number>();
  const found = new Set<string>();
  for (const { benchmark, block, value } of rows) {
    const key = JSON.stringify([benchmark, block]);
    if (seen.has(key) && seen.get(key) !== value) found.add(benchmark);
    seen.set(key, value);
  }
  return ({ benchmark }) => found.has(benchmark);
}

function modelOf(
  rows: readonly UsableRow[],
  finding: WeightFinding | undefined,
  analysis: WeightAnalysis | undefined,
  settings: AnalysisSettings,
  models: boolean,
): Pick<StudyFit, "rows" | "transforms" | keyof ScopeModel> {
  const none = { formula: settings.formula ?? "", fit: undefined, effect: undefined, beside: undefined };
  if (!models)
    return {
      rows: rows.map((row) => ({ ...row, score: row.value, unit: 1 })),
      transforms: [],
      ...none,
      problem: undefined,
    };
  try {
    const { rows: scored, applied } = scoredRows(rows.filter(varies(rows)), settings);
    const model = scopeModel(scored, finding, analysis, settings);
    return { rows: scored, transforms: applied, ...model };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    const bare = rows.map((row) => ({ ...row, score: Number.NaN, unit: 1 }));
    return { rows: bare, transforms: [], ...none, problem: error.message };
  }
}

/** Of the cells' means over their benchmarks, so that what a run's scores share counts once. */
function surfaceOf(
  rows: readonly UsableRow[],
  settings: AnalysisSettings,
): Pick<StudySurface, "surface" | "problem"> {
  try {
    const { rows: scored } = scoredRows(rows.filter(varies(rows)), {
      ...settings,
      family: "gaussian",
      transforms: [],
    });
    const byCell = groupedBy(scored, ({ result }) => result.cell);
    const cells = [...byCell.values()].map((own) => ({
      ...modelRow(own[0]!),
      score: own.reduce((sum, { score }) => sum + score, 0) / own.length,
    }));
    return { surface: fitSurface(cells, { family: "gaussian" }), problem: undefined };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return { surface: undefined, problem: error.message };
  }
}
