// A study's values → scores to model: the metric that stands for each task, turned so that higher is better, brought
// into the family's range by the named transforms. Pure.
import {
  type AppliedTransform,
  type Row,
  type ScoreTransform,
  toUnitInterval,
} from "../../statistics/index.ts";
import type { AnalysisSettings } from "./analysis.ts";
import type { ResultRow } from "./result-row.ts";

/** A row of the table that a model is fitted to, and the result that it comes from. */
export interface ScoredRow {
  readonly result: ResultRow;
  /** On the scale that is modelled. */
  readonly score: number;
  /** The task, or task and metric where a task has several primary metrics. */
  readonly benchmark: string;
}

export interface ScoredRows {
  readonly rows: readonly ScoredRow[];
  readonly applied: readonly AppliedTransform[];
  readonly notes: readonly string[];
}

/** Values of the metrics that stand for tasks, each with its benchmark's name. */
export const benchmarkRows = (
  results: readonly ResultRow[],
): { readonly result: ResultRow; readonly benchmark: string }[] => {
  const primary = results.filter(({ primary }) => primary);
  const metrics = new Map<string, Set<string>>();
  for (const { task, metric } of primary) metrics.set(task, (metrics.get(task) ?? new Set()).add(metric));
  return primary.map((result) => {
    const { task, metric } = result;
    return { result, benchmark: metrics.get(task)!.size > 1 ? `${task} ${metric}` : task };
  });
};

/**
 * Values that are no numbers, as of a run that diverged, and benchmarks on which all cells have one value are left out,
 * with a note.
 */
export const scoredRows = (results: readonly ResultRow[], settings: AnalysisSettings): ScoredRows => {
  const all = benchmarkRows(results);
  const named = all.filter(({ result }) => Number.isFinite(result.value));
  const notes: string[] = [];
  const lost = all.length - named.length;
  if (lost > 0)
    notes.push(
      `${lost === 1 ? "one score is no number and is" : `${lost} scores are no numbers and are`} left out`,
    );
  const values = new Map<string, Set<number>>();
  for (const { benchmark, result } of named)
    values.set(benchmark, (values.get(benchmark) ?? new Set()).add(result.value));
  const constant = new Set([...values].filter(([, found]) => found.size === 1).map(([name]) => name));
  for (const benchmark of constant)
    notes.push(`${benchmark} has the same value in all cells and is left out`);
  const kept = named.filter(({ benchmark }) => !constant.has(benchmark));
  if (kept.some(({ result }) => !result.higherIsBetter))
    notes.push("metrics of which less is better were negated before the transforms");
  const { scores, applied } = toUnitInterval(
    kept.map(({ result }) => (result.higherIsBetter ? result.value : -result.value)),
    kept.map(({ benchmark }) => benchmark),
    stepsOf(settings),
  );
  return { rows: kept.map((row, i) => ({ ...row, score: scores[i]! })), applied, notes };
};

const stepsOf = ({ transforms }: AnalysisSettings): ScoreTransform[] =>
  transforms.map((step) => (typeof step === "string" ? { name: step } : { name: "clip", margin: step.clip }));

/** The columns that formulas may name. */
export const modelRow = ({ result, score, benchmark }: ScoredRow): Row => ({
  ...result.factors,
  plw: result.plw,
  wp: result.wp,
  rg: result.generationRatio,
  task: result.task,
  task_group: result.taskGroup,
  cell: result.cell,
  benchmark,
  score,
});
