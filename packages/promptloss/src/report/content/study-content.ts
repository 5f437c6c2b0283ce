// All that a report is about: the results by series (a generation ratio each) and by benchmark, with their models, and
// what became of the cells.
import { type Recommendation, recommend, type TaskGroup, taskGroups } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/numbers.ts";
import type { AnalysisSettings } from "../../study/results/analysis.ts";
import { studyEvidence } from "../../study/results/choice-evidence.ts";
import { fitStudy, ratioGroups, type StudyFit, type StudyFits } from "../../study/results/fit-study.ts";
import type { ResultRow } from "../../study/results/result-row.ts";
import type { StudyResults } from "../../study/results/results-file.ts";
import { benchmarkRows } from "../../study/results/scored-rows.ts";
import type { ReportCell } from "./report-cells.ts";

/** Cells of one generation ratio: a color and a mark all over the page. */
export interface Series {
  readonly slot: number;
  readonly label: string;
  readonly generationRatio: number | undefined;
  readonly cells: ReadonlySet<string>;
}

export interface Benchmark {
  readonly name: string;
  readonly metric: string;
  readonly group: TaskGroup | null;
  readonly higherIsBetter: boolean;
  readonly rows: readonly ResultRow[];
  /** One for each series, of this benchmark alone. */
  readonly fits: readonly StudyFit[];
}

export interface StudyContent {
  readonly results: StudyResults;
  readonly fits: StudyFits;
  readonly series: readonly Series[];
  readonly benchmarks: readonly Benchmark[];
  /** Undefined where the study's folder has no record of them. */
  readonly cells: readonly ReportCell[];
  readonly recommendations: readonly Recommendation[];
}

/** @throws {StatisticsError} for settings that no model can follow */
export function studyContent(
  results: StudyResults,
  cells: readonly ReportCell[] = [],
  settings: AnalysisSettings = results.analysis,
): StudyContent {
  const fits = fitStudy(results, settings);
  const named = benchmarkRows(results.rows);
  const series = ratioGroups(named).map(({ generationRatio, cells: ids }, slot) => ({
    slot,
    generationRatio,
    cells: ids,
    label: generationRatio === undefined ? "no generation ratio" : `Rg ${trimmed(generationRatio)}`,
  }));
  const byName = new Map<string, ResultRow[]>();
  for (const { benchmark, result } of named)
    byName.set(benchmark, [...(byName.get(benchmark) ?? []), result]);
  const benchmarks = [...byName].map(([name, rows]) => benchmarkOf(name, rows, fits));
  return {
    results,
    fits,
    series,
    benchmarks,
    cells,
    recommendations: recommendationsOf(results, fits, series),
  };
}

/** The fits that a series has a part in, by the cells that they share. */
export function seriesOf(fit: StudyFit, series: readonly Series[]): Series | undefined {
  return series.find(({ cells }) => fit.rows.some(({ result }) => cells.has(result.cell)));
}

/** Groups of tasks that the benchmarks belong to, those without one last. */
export function groupsOf(benchmarks: readonly Benchmark[]): (TaskGroup | null)[] {
  return [...taskGroups, null].filter((group) => benchmarks.some((benchmark) => benchmark.group === group));
}

function benchmarkOf(name: string, rows: readonly ResultRow[], { fits, benchmarks }: StudyFits): Benchmark {
  const [{ metric, taskGroup, higherIsBetter }] = rows as [ResultRow];
  // A study of one benchmark has no other statement than that over all tasks.
  const own = [...benchmarks, ...fits].filter(
    (fit) => fit.taskGroup === undefined && fit.rows.every((row) => row.benchmark === name),
  );
  return { ...{ name, metric, group: taskGroup, higherIsBetter, rows }, fits: own };
}

function recommendationsOf(
  { rows }: StudyResults,
  fits: StudyFits,
  series: readonly Series[],
): Recommendation[] {
  const groups = [...new Set(fits.fits.map(({ taskGroup }) => taskGroup))];
  return series.flatMap(({ generationRatio }) =>
    generationRatio === undefined
      ? []
      : groups.map((taskGroup) =>
          recommend(generationRatio, {
            taskGroup,
            study: studyEvidence(rows, { generationRatio, taskGroup }),
          }),
        ),
  );
}
