// Two evaluations of the same tasks, item by item: what the second scores more than the first, and how sure that is.
import { EvaluationError } from "../errors.ts";
import { sumStatistics, textMetrics } from "../metrics/text-metrics.ts";
import { readRecords, readScores } from "../run/records.ts";
import type { EvaluationRecord, EvaluationScore } from "../run/types.ts";
import { type PairedTest, pairedBootstrap, pairedTest } from "./statistics.ts";

export interface CompareOptions {
  /** All that both have where left out. */
  readonly tasks?: readonly string[] | undefined;
  /** 1,000 where left out. */
  readonly resamples?: number | undefined;
  /** 0 where left out. */
  readonly seed?: number | undefined;
  /** Of the intervals; 0.95 where left out. */
  readonly level?: number | undefined;
}

export interface Comparison {
  readonly task: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly n: number;
  readonly a: number;
  readonly b: number;
  /** b − a. */
  readonly difference: number;
  readonly interval: readonly [number, number];
  readonly level: number;
  readonly test: PairedTest;
  /** Where interval and test do not say the same of the difference: why. */
  readonly note?: string;
}

/**
 * @param a,b output folders of two evaluations
 * @throws {EvaluationError} for folders without scores, tasks that one of them lacks, and items that are not the same
 * @example
 * ```ts
 * import { compareEvaluations } from "promptloss";
 *
 * for (const { task, metric, difference } of compareEvaluations("evaluations/before", "evaluations/after"))
 *   console.log(`${task} ${metric}: ${difference.toFixed(3)}`);
 * ```
 */
export function compareEvaluations(a: string, b: string, options: CompareOptions = {}): Comparison[] {
  const [first, second] = [readScores(a), readScores(b)];
  const shared = [...new Set(first.map(({ task }) => task))].filter((task) =>
    second.some((score) => score.task === task),
  );
  const tasks = options.tasks ?? shared;
  const missing = tasks.find((task) => !shared.includes(task));
  if (missing !== undefined || tasks.length === 0)
    throw new EvaluationError(
      missing === undefined
        ? `${a} and ${b} have no task in common`
        : `${missing} is not in both evaluations`,
      { hint: shared.length === 0 ? "evaluate both on the same tasks" : `both have ${shared.join(", ")}` },
    );
  return tasks.flatMap((task) => {
    const [left, right] = [readRecords(a, task), readRecords(b, task)];
    checkPaired(task, left, right);
    return first
      .filter(
        (score) => score.task === task && second.some((s) => s.task === task && s.metric === score.metric),
      )
      .map((score) => compareMetric(score, left, right, options));
  });
}

/** @throws {EvaluationError} where two evaluations' records of a task are not of the same items and right answers */
export function checkPaired(
  task: string,
  a: readonly EvaluationRecord[],
  b: readonly EvaluationRecord[],
): void {
  const same = a.length === b.length && a.every(({ item }, i) => b[i]!.item === item);
  if (!same)
    throw new EvaluationError(
      `${task}: ${a.length} items in one evaluation, ${b.length} in the other, not the same`,
      {
        hint: "evaluate both with the same limit",
      },
    );
  const differs = a.findIndex(
    ({ right, references }, i) =>
      JSON.stringify([right, references]) !== JSON.stringify([b[i]!.right, b[i]!.references]),
  );
  if (differs >= 0)
    throw new EvaluationError(
      `${task}, item ${a[differs]!.item}: the two evaluations have other right answers`,
      {
        hint: "evaluate both on the same data",
      },
    );
}

function compareMetric(
  { task, metric, higherIsBetter }: EvaluationScore,
  a: readonly EvaluationRecord[],
  b: readonly EvaluationRecord[],
  { resamples = 1000, seed = 0, level = 0.95 }: CompareOptions,
): Comparison {
  const known = textMetrics[metric];
  const ofCorpus =
    known?.kind === "corpus" && a.every(({ statistics }) => statistics?.[metric] !== undefined);
  const parts = (records: readonly EvaluationRecord[]): (readonly number[])[] =>
    records.map(({ statistics, metrics }) => (ofCorpus ? statistics![metric]! : [metrics[metric]!]));
  const scoreOf = (sums: readonly number[], items: number): number => {
    if (ofCorpus) return known.of(sums);
    const average = sums[0]! / items;
    return metric === "perplexity" ? Math.exp(-average) : average;
  };
  const [left, right] = [parts(a), parts(b)];
  const score = (all: readonly (readonly number[])[]): number => scoreOf(sumStatistics(all), all.length);
  const values = (records: readonly EvaluationRecord[]): number[] =>
    records.map(({ item, metrics }) => {
      const value = metrics[metric];
      if (Number.isFinite(value)) return value!;
      throw new EvaluationError(`${task}, item ${item}: its record has no number for ${metric}`, {
        hint: "evaluate it again: promptloss evaluate with --overwrite",
      });
    });
  const test = pairedTest(values(a), values(b));
  const interval = pairedBootstrap(left, right, scoreOf, { resamples, seed, level });
  const note = disagreement(interval, test, level);
  return {
    ...(note !== undefined && { note }),
    task,
    metric,
    higherIsBetter,
    n: a.length,
    a: score(left),
    b: score(right),
    difference: score(right) - score(left),
    interval,
    level,
    test,
  };
}

/** The two ask different things: the interval how much the score moves, the test for how many items. */
function disagreement(
  [low, high]: readonly [number, number],
  { name, p, aHigher, bHigher }: PairedTest,
  level: number,
): string | undefined {
  const moves = low > 0 || high < 0;
  const differs = p < 1 - level;
  if (moves === differs) return undefined;
  if (name === "mcnemar")
    return "interval and test lie on both sides of the level: with few items that differ, the exact test asks for more";
  const items = `a is higher for ${aHigher} items, b for ${bHigher}`;
  return moves
    ? `the score moves, and not for more items than chance: ${items}, so that a few large differences make it`
    : `more items differ one way than chance, and the score does not move with them: ${items}, by little`;
}
