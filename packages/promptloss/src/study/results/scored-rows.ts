// A study's values → scores to model: the metric that stands for each task, turned so that higher is better. What a
// model is fitted to is scaled within that model's own rows, so that no score depends on rows outside it. Pure.
import {
  type AppliedTransform,
  type Row,
  type ScoreTransform,
  slopeOf,
  toUnitInterval,
  type WeightRow,
  zScores,
} from "../../statistics/index.ts";
import type { AnalysisSettings } from "./analysis.ts";
import { groupedBy } from "./grouped.ts";
import type { ResultRow } from "./result-row.ts";

/** A value that counts, as it may enter a model. */
export interface UsableRow {
  readonly result: ResultRow;
  /** The value, negated where less is better. */
  readonly value: number;
  /** The task, or task and metric where a task has several primary metrics. */
  readonly benchmark: string;
  /** The cell's other factors: weights are compared within. */
  readonly block: string;
  /** What counts as a known part of the value's noise, in its unit; undefined for nothing. */
  readonly samplingError: number | undefined;
}

/** A row of the table that a model is fitted to, and the result that it comes from. */
export interface ScoredRow extends UsableRow {
  /** On the scale that is modeled. */
  readonly score: number;
  /** A score's unit in those of the value. */
  readonly unit: number;
}

/** Values of the metrics that stand for tasks, each with its benchmark's name. */
export function benchmarkRows(
  results: readonly ResultRow[],
): { readonly result: ResultRow; readonly benchmark: string }[] {
  const primary = results.filter(({ primary }) => primary);
  const metrics = new Map<string, Set<string>>();
  for (const { task, metric } of primary) metrics.set(task, (metrics.get(task) ?? new Set()).add(metric));
  return primary.map((result) => {
    const { task, metric } = result;
    return { result, benchmark: metrics.get(task)!.size > 1 ? `${task} ${metric}` : task };
  });
}

export interface UsableRows {
  readonly rows: readonly UsableRow[];
  /** Benchmarks on which no model can do better than guess. */
  readonly atChance: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Benchmarks on which all cells have one value, and benchmarks at chance are set aside, each with a note. A value that is
 * no number, as of a run that diverged, counts as the worst one that is: left out, it would leave its weight the runs that
 * went well.
 */
export function usableRows(
  results: readonly ResultRow[],
  { samplingError }: Pick<AnalysisSettings, "samplingError"> = { samplingError: "residual" },
): UsableRows {
  const all = benchmarkRows(results);
  const { aside, atChance, notes: said } = setAside(all);
  const notes = [...divergedNotes(all), ...precisionNotes(results), ...said];
  const measured = new Set(
    all.filter(({ result }) => Number.isFinite(result.value)).map(({ benchmark }) => benchmark),
  );
  const kept = all.filter(({ benchmark }) => !aside.has(benchmark) && measured.has(benchmark));
  if (kept.some(({ result }) => !result.higherIsBetter))
    notes.push("metrics of which less is better were negated");
  const blockOf = blocks(kept.map(({ result }) => result));
  const rows = kept.map(({ result, benchmark }) => ({
    ...{ result, benchmark, value: result.higherIsBetter ? result.value : -result.value },
    block: blockOf(result),
    samplingError:
      samplingError === "known" ? (result.pairedError ?? result.standardError ?? undefined) : undefined,
  }));
  if (samplingError === "known") notes.push(knownNote(kept));
  return { rows: withWorst(rows), atChance, notes };
}

/** Benchmarks that say nothing of any weight: those on which all cells have one value, and those at chance. */
export function setAside(rows: readonly { readonly result: ResultRow; readonly benchmark: string }[]): {
  readonly aside: ReadonlySet<string>;
  readonly atChance: readonly string[];
  readonly notes: readonly string[];
} {
  const scores = rows.filter(({ result }) => Number.isFinite(result.value));
  const aside = new Set<string>();
  const atChance: string[] = [];
  const notes: string[] = [];
  for (const [benchmark, named] of groupedBy(scores, (row) => row.benchmark)) {
    const own = named.map(({ result }) => result);
    if (new Set(own.map(({ value }) => value)).size === 1) {
      aside.add(benchmark);
      notes.push(`${benchmark} has the same value in all cells and is left out`);
    } else if (isAtChance(own)) {
      aside.add(benchmark);
      atChance.push(benchmark);
      notes.push(
        `${benchmark} is at chance (mean ${short(meanOf(own.map(({ value }) => value)))}, chance ${short(own[0]!.chance!)}): ` +
          "its differences are noise, and it is set aside",
      );
    }
  }
  return { aside, atChance, notes };
}

/** Whose sampling errors are known, and from what. */
function knownNote(rows: readonly { readonly result: ResultRow; readonly benchmark: string }[]): string {
  const names = (has: (result: ResultRow) => boolean): string[] => [
    ...new Set(rows.flatMap(({ result, benchmark }) => (has(result) ? [benchmark] : []))),
  ];
  const paired = names(({ pairedError }) => pairedError !== null);
  const own = names(({ pairedError, standardError }) => pairedError === null && standardError !== null);
  const none = names(({ pairedError, standardError }) => pairedError === null && standardError === null);
  const parts = [
    ...(paired.length > 0 ? [`paired by item for ${paired.join(", ")}`] : []),
    ...(own.length > 0 ? [`each score's own standard error for ${own.join(", ")}`] : []),
    ...(none.length > 0 ? [`none is known for ${none.join(", ")}`] : []),
  ];
  return `sampling errors are taken for a known part of the noise: ${parts.join("; ")}`;
}

/** Where cells' arithmetic differs and no factor says so: `auto` means another precision on another machine. */
function precisionNotes(rows: readonly ResultRow[]): string[] {
  if (rows.some(({ factors }) => "training.precision" in factors)) return [];
  const cells = new Map(rows.map(({ cell, precision }) => [cell, precision]));
  const counts = new Map<string, number>();
  for (const precision of cells.values())
    if (precision !== null) counts.set(precision, (counts.get(precision) ?? 0) + 1);
  if (counts.size < 2) return [];
  const each = [...counts].map(([precision, count]) => `${count} in ${precision}`).join(", ");
  return [
    `cells were trained in different precisions (${each}), which their differences may come from: give training.precision in the recipe`,
  ];
}

function divergedNotes(rows: readonly { readonly result: ResultRow }[]): string[] {
  const cells = new Map(
    rows.flatMap(({ result }) => (Number.isFinite(result.value) ? [] : [[result.cell, result] as const])),
  );
  if (cells.size === 0) return [];
  const names = [...cells.values()].map(({ factors, plw }) =>
    [
      `PLW ${short(plw)}`,
      ...Object.entries(factors)
        .filter(([name]) => name !== "plw")
        .map(([name, level]) => `${name} ${level}`),
    ].join(", "),
  );
  return [
    `${cells.size === 1 ? "1 run" : `${cells.size} runs`} diverged or gave a score that is no number, which counts as ` +
      `the worst one of the same block: ${names.join("; ")}`,
  ];
}

/** The worst of the block, or of all blocks where none of it is a number. */
function withWorst(rows: readonly UsableRow[]): UsableRow[] {
  const worst = new Map<string, number>();
  const keys = ({ benchmark, block }: UsableRow): [string, string] => [
    JSON.stringify([benchmark, block]),
    JSON.stringify([benchmark]),
  ];
  for (const row of rows.filter(({ value }) => Number.isFinite(value)))
    for (const key of keys(row)) worst.set(key, Math.min(worst.get(key) ?? row.value, row.value));
  return rows.map((row) => {
    if (Number.isFinite(row.value)) return row;
    const [own, all] = keys(row);
    return { ...row, value: worst.get(own) ?? worst.get(all)! };
  });
}

/** One-sided at 5 %. */
const ABOVE_CHANCE = 1.645;

/**
 * Whether the mean over all cells is within one score's sampling error of chance. Cells share the items, so that their
 * mean is about as uncertain as one of them.
 */
function isAtChance(rows: readonly ResultRow[]): boolean {
  const known = rows.filter(({ chance, standardError }) => chance !== null && standardError !== null);
  if (known.length === 0 || known.some(({ higherIsBetter }) => !higherIsBetter)) return false;
  const above = meanOf(known.map(({ value, chance }) => value - chance!));
  return above < ABOVE_CHANCE * meanOf(known.map(({ standardError }) => standardError!));
}

/** A seed is a block only where it has several weights; all other factors are. */
const REPLICATE = "seed";

export function blocks(
  results: readonly Pick<ResultRow, "factors" | "plw">[],
): (result: Pick<ResultRow, "factors">) => string {
  const names = [...new Set(results.flatMap(({ factors }) => Object.keys(factors)))].filter(
    (name) => name !== "plw",
  );
  const label =
    (used: readonly string[]) =>
    ({ factors }: Pick<ResultRow, "factors">): string =>
      used.map((name) => `${name} ${factors[name] ?? "–"}`).join(", ") || "all";
  const whole = label(names);
  const weights = new Map<string, Set<number>>();
  for (const result of results)
    weights.set(whole(result), (weights.get(whole(result)) ?? new Set()).add(result.plw));
  const paired = [...weights.values()].every(({ size }) => size > 1);
  return paired ? whole : label(names.filter((name) => name !== REPLICATE));
}

export interface ScoredRows {
  readonly rows: readonly ScoredRow[];
  readonly applied: readonly AppliedTransform[];
}

/** Scales the rows of one model. */
export function scoredRows(rows: readonly UsableRow[], settings: AnalysisSettings): ScoredRows {
  const benchmarks = rows.map(({ benchmark }) => benchmark);
  const { scores, applied } = toUnitInterval(
    rows.map(({ value }) => value),
    benchmarks,
    stepsOf(settings),
  );
  const slopes = new Map(benchmarks.map((benchmark) => [benchmark, slopeOf(applied, benchmark)]));
  const unit = (i: number): number => 1 / slopes.get(benchmarks[i]!)!;
  if (settings.family === "beta")
    return { rows: rows.map((row, i) => ({ ...row, score: scores[i]!, unit: unit(i) })), applied };
  const scaled = zScores(
    scores,
    benchmarks,
    rows.map(({ block, benchmark }) => `${benchmark}, ${block}`),
  );
  return {
    rows: rows.map((row, i) => ({
      ...row,
      score: scaled.scores[i]!,
      unit: unit(i) / slopeOf([scaled.applied], row.benchmark),
    })),
    applied: [...applied, scaled.applied],
  };
}

function stepsOf({
  family,
  transforms = family === "beta" ? ["min-max", "squeeze"] : [],
}: AnalysisSettings): ScoreTransform[] {
  return transforms.map((step) =>
    typeof step === "string" ? { name: step } : { name: "clip", margin: step.clip },
  );
}

/** What comparisons of weights are made of; scores in their own units, which the comparison scales itself. */
export function weightRow({ result, value, benchmark, block, samplingError }: UsableRow): WeightRow {
  return {
    ...{ cell: result.cell, plw: result.plw, wp: result.wp, block, task: benchmark },
    ...{ score: value, samplingError },
  };
}

/** The column of known sampling errors, on the scale that is modeled. */
export const SAMPLING_ERROR = "sampling_error";

/** The columns that formulas may name. */
export function modelRow({ result, score, unit, benchmark, block, samplingError }: ScoredRow): Row {
  return {
    ...result.factors,
    plw: result.plw,
    wp: result.wp,
    rg: result.generationRatio,
    task: result.task,
    task_group: result.taskGroup,
    cell: result.cell,
    benchmark,
    block: `${benchmark}, ${block}`,
    score,
    [SAMPLING_ERROR]: (samplingError ?? 0) / unit,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function short(x: number): string {
  return String(Number(x.toPrecision(3)));
}
