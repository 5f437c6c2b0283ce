// The tests behind a statement on prompt loss weights: is there a trend or a curve at all, do weights inside beat both
// ends, does a quadratic describe the means, where is its vertex. Uncorrected for other statements; `finding.ts` decides.
import { FEWEST_DF } from "../rules.ts";
import { fisherUpper, studentTwoSided } from "../special.ts";
import { type ContrastTest, maxT } from "./max-t.ts";
import { type Projection, project } from "./projection.ts";
import { type ScoreTable, scoreTable, type WeightRow } from "./score-table.ts";
import { type Noise, type VarianceComponents, varianceComponents } from "./variance-components.ts";
import { type Vertex, vertexOf } from "./vertex.ts";

/** What a statement is about: this one task; these tasks and no others; tasks like these. */
export type About = "this task" | "these tasks" | "tasks in general";

/** With fewer, how tasks differ can't be told, and statements are about these tasks. */
export const TASKS_IN_GENERAL = 4;

export interface TermTest {
  readonly estimate: number;
  readonly standardError: number;
  readonly df: number;
  readonly t: number;
  readonly p: number;
}

export interface RelationTest {
  readonly trend: TermTest;
  /** Undefined with two weights. */
  readonly curvature: TermTest | undefined;
  /** The smaller of the two p-values, times two where there are two. */
  readonly p: number;
}

export interface WeightAnalysis {
  readonly about: About;
  readonly table: ScoreTable;
  readonly projection: Projection;
  readonly variances: VarianceComponents;
  /** Of what the statement is about. */
  readonly noise: Noise;
  readonly relation: RelationTest;
  /** The same about these tasks, where the statement is about tasks in general. */
  readonly theseTasks: RelationTest | undefined;
  /** Whether the means bend otherwise than a quadratic; undefined where nothing is left to tell by. */
  readonly lackOfFit:
    | { readonly statistic: number; readonly df: readonly [number, number]; readonly p: number }
    | undefined;
  /** Undefined with three weights or fewer: they don't locate a vertex. */
  readonly vertex: Vertex | undefined;
  /** Enough residual degrees of freedom for a verdict. */
  readonly judged: boolean;
}

/**
 * @param level of intervals
 * @param about default: tasks in general from four tasks, these tasks with fewer
 * @throws {StatisticsError} where there is nothing to compare
 */
export function analyzeWeights(rows: readonly WeightRow[], level: number, about?: About): WeightAnalysis {
  const table = scoreTable(rows);
  const projection = project(table);
  const variances = varianceComponents(projection);
  const { tasks } = projection;
  const subject =
    tasks === 1 ? "this task" : (about ?? (tasks >= TASKS_IN_GENERAL ? "tasks in general" : "these tasks"));
  const noise = (subject === "tasks in general" && variances.general) || variances.these;
  return {
    about: subject,
    ...{ table, projection, variances, noise },
    relation: relationTest(projection, noise),
    theseTasks: noise === variances.these ? undefined : relationTest(projection, variances.these),
    lackOfFit: lackOfFit(projection),
    vertex: projection.levels.length > 3 && variances.df > 0 ? vertexOf(projection, noise, level) : undefined,
    judged: variances.df >= FEWEST_DF,
  };
}

function relationTest({ meanCoordinates, curveTerms }: Projection, noise: Noise): RelationTest {
  const term = (at: number): TermTest => {
    const unit = meanCoordinates.map((_, k) => (k === at ? 1 : 0));
    const { variance, df } = noise.spread(unit);
    const estimate = meanCoordinates[at]!;
    const standardError = Math.sqrt(variance);
    const t = estimate / standardError;
    return { estimate, standardError, df, t, p: studentTwoSided(t, df) };
  };
  const trend = term(0);
  const curvature = curveTerms > 1 ? term(1) : undefined;
  const p = curvature === undefined ? trend.p : Math.min(1, 2 * Math.min(trend.p, curvature.p));
  return { trend, curvature, p };
}

/** The means' squares beyond the quadratic over the replicates'; without replicates, a cubic against the rest. */
function lackOfFit({
  meanCoordinates,
  curveTerms,
  tasks,
  pureMean,
  known,
}: Projection): WeightAnalysis["lackOfFit"] {
  const beyond = [...meanCoordinates.subarray(curveTerms)].map((x) => tasks * x * x);
  if (beyond.length === 0) return undefined;
  const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);
  const test = (lack: readonly number[], rest: number, restDf: number): WeightAnalysis["lackOfFit"] => {
    if (!(restDf > 0 && rest > 0)) return undefined;
    const least =
      known === undefined ? 0 : known.squares(meanCoordinates.length - beyond.length + lack.length) / restDf;
    const statistic = sum(lack) / lack.length / Math.max(least, rest / restDf);
    return { statistic, df: [lack.length, restDf], p: fisherUpper(statistic, lack.length, restDf) };
  };
  if (pureMean.df > 0) return test(beyond, pureMean.sum, pureMean.df);
  return test(beyond.slice(0, 1), sum(beyond.slice(1)), beyond.length - 1);
}

export interface InsideTest {
  /** The weights inside whose mean beats, or falls short of, both ends. */
  readonly plws: readonly number[];
  readonly againstFirst: ContrastTest;
  readonly againstLast: ContrastTest;
  /** The larger of the two. */
  readonly p: number;
}

export interface EndTests {
  /** Runs of neighboring weights inside against both ends: the best one. Undefined with two weights. */
  readonly inside: InsideTest | undefined;
  /** The smallest p of any run against the lowest weight, and against the highest. */
  readonly first: number;
  readonly last: number;
}

/**
 * Whether means of neighboring weights inside lie above both observed ends (below, with `sign` −1). Where scores only
 * rise, or rise and stay, no mean inside is above the last, whatever the course: so this errs at most as often as its
 * level says, without a curve assumed.
 */
export function endTests({ projection, noise }: WeightAnalysis, sign: 1 | -1): EndTests {
  const { levels, meanCoordinates } = projection;
  const last = levels.length - 1;
  const windows: [number, number][] = [];
  for (let from = 1; from < last; from++) for (let to = from; to < last; to++) windows.push([from, to]);
  if (windows.length === 0) return { inside: undefined, first: 1, last: 1 };
  const against = (end: number): readonly ContrastTest[] => {
    const contrasts = windows.map(([from, to]) =>
      projection.contrast(
        levels.map((_, k) => (k === end ? -1 : k >= from && k <= to ? 1 / (to - from + 1) : 0)),
      ),
    );
    const estimates = contrasts.map((a) => sign * a.reduce((sum, x, k) => sum + x * meanCoordinates[k]!, 0));
    return maxT(contrasts, estimates, noise, "upper").tests;
  };
  const [first, end] = [against(0), against(last)];
  const both = windows.map((_, k) => Math.max(first[k]!.p, end[k]!.p));
  const best = both.reduce((top, p, k) => {
    if (p !== both[top]) return p < both[top]! ? k : top;
    const least = (at: number): number => Math.min(first[at]!.t, end[at]!.t);
    return least(k) > least(top) ? k : top;
  }, 0);
  const [from, to] = windows[best]!;
  return {
    inside: {
      plws: levels.slice(from, to + 1).map(({ plw }) => plw),
      againstFirst: first[best]!,
      againstLast: end[best]!,
      p: both[best]!,
    },
    first: Math.min(...first.map(({ p }) => p)),
    last: Math.min(...end.map(({ p }) => p)),
  };
}

export interface PairedDifference {
  readonly plw: number;
  readonly versus: number;
  readonly difference: number;
  readonly standardError: number;
  readonly df: number;
  /** Corrected for all differences shown. */
  readonly lower: number;
  readonly upper: number;
  readonly p: number;
}

/** Each weight against one of them, by their indices in `levels`: paired within blocks, corrected together. */
export function pairedDifferences(
  { projection, noise }: WeightAnalysis,
  pairs: readonly (readonly [number, number])[],
  level: number,
): PairedDifference[] {
  const { levels, meanCoordinates } = projection;
  if (pairs.length === 0) return [];
  const contrasts = pairs.map(([a, b]) =>
    projection.contrast(levels.map((_, k) => (k === a ? 1 : 0) - (k === b ? 1 : 0))),
  );
  const estimates = contrasts.map((a) => a.reduce((sum, x, k) => sum + x * meanCoordinates[k]!, 0));
  const { tests, critical } = maxT(contrasts, estimates, noise, "two-sided", level);
  return tests.map(({ estimate, standardError, df, p }, k) => ({
    plw: levels[pairs[k]![0]]!.plw,
    versus: levels[pairs[k]![1]]!.plw,
    difference: estimate,
    ...{ standardError, df, p },
    lower: estimate - critical * standardError,
    upper: estimate + critical * standardError,
  }));
}
