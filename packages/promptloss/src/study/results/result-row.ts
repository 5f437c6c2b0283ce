// The tidy table of a study: one row a cell, task and metric, with the cell's factors, its weight as PLW and w_p, its
// data's generation ratio and its probes. Pure: rows in, flat columns out, and back.
import type { Cell, Row, TaskGroup } from "../../statistics/index.ts";

export type FactorValue = string | number;

export interface ResultRow {
  readonly study: string;
  /** The cell's hash. */
  readonly cell: string;
  /** Labels of the cell's levels by factor. */
  readonly factors: Readonly<Record<string, FactorValue>>;
  readonly plw: number;
  /** PLW^0.30103. */
  readonly wp: number;
  /** Rg of the training data; null where it has no prompt. */
  readonly generationRatio: number | null;
  readonly task: string;
  readonly taskGroup: TaskGroup | null;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  /** Whether it is the metric that stands for its task in models. */
  readonly primary: boolean;
  readonly value: number;
  /** Of the value; null where its task has none. */
  readonly standardError: number | null;
  /**
   * The same for comparisons of cells that answered the same items, by their records: what all cells of a block find hard is
   * no error of a difference. Null where it was not asked for (analysis.samplingError) or no records tell.
   */
  readonly pairedError: number | null;
  /** Items that the value is of; null where it does not come from items. */
  readonly items: number | null;
  /** What guessing scores, on the value's scale; null for metrics that have no such level. */
  readonly chance: number | null;
  /** What the cell's training multiplied in; null where it is not known. */
  readonly precision: string | null;
  /** By name; null where the run did not measure it. */
  readonly probes: Readonly<Record<string, number | null>>;
}

/** What the table says of itself, beside it in study.json. */
export interface ResultsHeader {
  readonly study: string;
  /** Names of the factors' columns. */
  readonly factors: readonly string[];
  readonly probes: readonly string[];
}

const before = ["study", "cell"] as const;
const after = [
  "plw",
  "wp",
  "rg",
  "task",
  "task_group",
  "metric",
  "higher_is_better",
  "primary",
  "value",
  "standard_error",
  "paired_error",
  "items",
  "chance",
  "precision",
] as const;

/** Columns that no factor may be called; `plw` is a factor's name for the prompt loss weight itself. */
export const RESERVED_COLUMNS: ReadonlySet<string> = new Set([
  ...before,
  ...after,
  "score",
  "benchmark",
  "sampling_error",
]);

function probeColumn(name: string): string {
  return `probe_${name}`;
}

/** All columns, in order. */
export function columnsOf({ factors, probes }: ResultsHeader): string[] {
  return [...before, ...factors.filter((name) => name !== "plw"), ...after, ...probes.map(probeColumn)];
}

export function flatten(row: ResultRow, { factors, probes }: ResultsHeader): Row {
  const named = factors.filter((name) => name !== "plw").map((name) => [name, row.factors[name] ?? null]);
  return {
    study: row.study,
    cell: row.cell,
    ...(Object.fromEntries(named) as Record<string, Cell>),
    plw: row.plw,
    wp: row.wp,
    rg: row.generationRatio,
    task: row.task,
    task_group: row.taskGroup,
    metric: row.metric,
    higher_is_better: row.higherIsBetter,
    primary: row.primary,
    value: row.value,
    standard_error: row.standardError,
    paired_error: row.pairedError,
    items: row.items,
    chance: row.chance,
    precision: row.precision,
    ...Object.fromEntries(probes.map((name) => [probeColumn(name), row.probes[name] ?? null])),
  };
}

/** What `flatten` made of a row, with the types that JSON keeps. */
export function unflatten(row: Row, { factors, probes }: ResultsHeader): ResultRow {
  return {
    study: String(row.study),
    cell: String(row.cell),
    factors: Object.fromEntries(
      factors.flatMap((name) => {
        const value = row[name];
        return typeof value === "string" || typeof value === "number" ? [[name, value]] : [];
      }),
    ),
    plw: Number(row.plw),
    wp: Number(row.wp),
    generationRatio: numberOrNull(row.rg),
    task: String(row.task),
    taskGroup: (row.task_group ?? null) as TaskGroup | null,
    metric: String(row.metric),
    higherIsBetter: row.higher_is_better === true,
    primary: row.primary === true,
    // JSON has no word for a value that is no number.
    value: row.value === null ? Number.NaN : Number(row.value),
    standardError: numberOrNull(row.standard_error),
    // Tables that were written before these columns lack them.
    pairedError: numberOrNull(row.paired_error ?? null),
    items: numberOrNull(row.items ?? null),
    chance: numberOrNull(row.chance ?? null),
    precision: typeof row.precision === "string" ? row.precision : null,
    probes: Object.fromEntries(probes.map((name) => [name, numberOrNull(row[probeColumn(name)])])),
  };
}

function numberOrNull(cell: Cell): number | null {
  return typeof cell === "number" ? cell : null;
}
