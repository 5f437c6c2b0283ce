// Studies of one design and truth through the code of `study results`: what it claims, how often that is false, whether
// its intervals hold the truth, and how often a t-test over tasks in two stages sees the same.
import { fitStudy } from "promptloss";
import { studentTwoSided, type WeightFinding } from "promptloss/statistics";
import type { ResultRow, StudyFit } from "promptloss/study";
import { otherRules } from "./rules.ts";
import { type Design, drawStudy, type Truth, VERTEX } from "./truths.ts";

export interface Tally {
  readonly design: string;
  readonly truth: string;
  readonly course: Truth["course"];
  readonly studies: number;
  /** Studies with a verdict over all tasks: enough residual degrees of freedom. */
  readonly judged: number;
  /** Studies that claim a relation somewhere that is not there. */
  readonly falseClaims: number;
  /** Studies whose statement over all tasks claims a relation. */
  readonly claims: number;
  /** Studies that call a course with no best weight inside a maximum. */
  readonly falsePeaks: number;
  readonly peaks: number;
  /** Intervals of the vertex over all tasks, and those that hold it. */
  readonly intervals: number;
  readonly covered: number;
  /** The same where the verdict prints it. */
  readonly printed: number;
  readonly printedCovered: number;
  /** Uncorrected: any relation over all tasks, by us, and by the two-stage t-test. */
  readonly found: number;
  readonly twoStage: number;
  /** Studies that one of the two alone sees, where the t-test is a fair bar: tasks do not differ, and runs share nothing. */
  readonly alone?: { readonly found: number; readonly twoStage: number };
  /** By rules that we do not have: a normal in place of Student's t, and each score taken for a run of its own. */
  readonly byNormal: number;
  readonly byScores: number;
  /** Intervals of the vertex by the delta method that hold it, of all and of those printed. */
  readonly deltaCovered: number;
  readonly deltaPrinted: number;
  readonly shapes: Readonly<Record<string, number>>;
}

const ALPHA = 0.05;

export function tally(design: Design, truth: Truth, studies: number, seed = 1): Tally {
  const count = {
    ...{ judged: 0, falseClaims: 0, claims: 0, falsePeaks: 0, peaks: 0, intervals: 0, covered: 0 },
    ...{ printed: 0, printedCovered: 0, found: 0, twoStage: 0 },
    ...{ byNormal: 0, byScores: 0, deltaCovered: 0, deltaPrinted: 0 },
  };
  const shapes: Record<string, number> = {};
  const alone = { found: 0, twoStage: 0 };
  for (let k = 0; k < studies; k++) {
    const results = drawStudy(design, truth, 1_000_003 * seed + 7919 * k);
    const { fits, benchmarks, surfaces } = fitStudy(results, results.analysis, { models: false });
    const [{ finding }] = fits as [StudyFit];
    const { shape, vertex, evidence } = finding!;
    shapes[shape] = (shapes[shape] ?? 0) + 1;
    const judged = shape !== "no verdict";
    if (judged) count.judged++;
    if (claims(fits[0]!)) count.claims++;
    // Where tasks differ, a benchmark's own relation is none that is false.
    const asked: readonly Finding[] = truth.differing > 0 ? fits : [...fits, ...benchmarks, ...surfaces];
    if (truth.course === "none" && asked.some(claims)) count.falseClaims++;
    if (shape === "peak") count.peaks++;
    if (truth.course !== "quadratic" && asked.some((fit) => fit.finding?.shape === "peak"))
      count.falsePeaks++;
    if (vertex !== undefined && judged) {
      const holds = vertex.lower <= VERTEX && VERTEX <= vertex.upper;
      count.intervals++;
      if (holds) count.covered++;
      if (shape === "peak") count.printed++;
      if (shape === "peak" && holds) count.printedCovered++;
    }
    const found = judged && evidence.relation.p < ALPHA;
    if (found) count.found++;
    if (truth.ratios === 1) {
      const { byNormal, byScores, delta } = otherRules(results.rows);
      if (byNormal < ALPHA) count.byNormal++;
      if (byScores < ALPHA) count.byScores++;
      if (judged && delta !== undefined && delta.lower <= VERTEX && VERTEX <= delta.upper) {
        count.deltaCovered++;
        if (shape === "peak") count.deltaPrinted++;
      }
    }
    const twoStage = truth.tasks > 1 && twoStageP(results.rows, truth.tasks) < ALPHA;
    if (twoStage) count.twoStage++;
    if (found && !twoStage) alone.found++;
    if (twoStage && !found) alone.twoStage++;
  }
  return {
    ...{ design: `${design.weights} × ${design.seeds}`, truth: truth.name, course: truth.course, studies },
    ...count,
    ...(isFair(truth) && { alone }),
    shapes,
  };
}

function isFair({ course, tasks, differing, shared }: Truth): boolean {
  return course !== "none" && tasks > 1 && differing === 0 && shared === 0;
}

interface Finding {
  readonly finding: WeightFinding | undefined;
}

function claims({ finding }: Finding): boolean {
  return finding !== undefined && finding.shape !== "flat" && finding.shape !== "no verdict";
}

/** Each task's trend and curvature by least squares, in its own deviation; Student's t over tasks; Bonferroni over both. */
function twoStageP(rows: readonly ResultRow[], tasks: number): number {
  const own = Array.from({ length: tasks }, (_, t) => rows.filter(({ task }) => task === `task ${t}`));
  const terms = own.map((scores) => trendAndCurvature(scores));
  const p = [0, 1].map((k) => {
    const values = terms.map((pair) => pair[k]!);
    const mean = values.reduce((sum, x) => sum + x, 0) / tasks;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (tasks - 1);
    return studentTwoSided(mean / Math.sqrt(variance / tasks), tasks - 1);
  });
  return 2 * Math.min(...p);
}

function trendAndCurvature(rows: readonly ResultRow[]): [number, number] {
  const within = (value: (row: ResultRow) => number): number[] => {
    const means = new Map<unknown, { sum: number; count: number }>();
    for (const row of rows) {
      const known = means.get(row.factors.seed) ?? { sum: 0, count: 0 };
      means.set(row.factors.seed, { sum: known.sum + value(row), count: known.count + 1 });
    }
    return rows.map((row) => {
      const { sum, count } = means.get(row.factors.seed)!;
      return value(row) - sum / count;
    });
  };
  const inner = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const y = within(({ value }) => value);
  const linear = within(({ wp }) => wp);
  const square = within(({ wp }) => wp * wp);
  const share = inner(square, linear) / inner(linear, linear);
  const bend = square.map((x, i) => x - share * linear[i]!);
  const scale = Math.sqrt(inner(y, y));
  return [
    inner(y, linear) / Math.sqrt(inner(linear, linear)) / scale,
    inner(y, bend) / Math.sqrt(inner(bend, bend)) / scale,
  ];
}

/** The difference of two shares of the same studies, by the studies that one of the two alone counts; 95 %. */
export function pairedDifference(
  alone: { readonly found: number; readonly twoStage: number },
  of: number,
): Share {
  const difference = (alone.found - alone.twoStage) / of;
  const both = (alone.found + alone.twoStage) / of;
  const reach = 1.96 * Math.sqrt((both - difference ** 2) / of);
  return { share: difference, lower: difference - reach, upper: difference + reach };
}

export interface Share {
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
}

/** A share with its 95 % interval (Wilson 1927); undefined of nothing. */
export function share(count: number, of: number): Share | undefined {
  if (of === 0) return undefined;
  const z = 1.96;
  const p = count / of;
  const middle = (p + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const reach = (z / (1 + z ** 2 / of)) * Math.sqrt((p * (1 - p)) / of + z ** 2 / (4 * of ** 2));
  return { share: p, lower: middle - reach, upper: middle + reach };
}
