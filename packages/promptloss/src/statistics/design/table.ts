// A table of scores: named columns of numbers or of labels. Columns come from rows as a CSV or JSONL reader gives
// them; a column of which every value is a number (or its text) is numeric, any other holds labels.
import { closest } from "fastest-levenshtein";
import { TableError } from "../errors.ts";

export type Cell = string | number | boolean | null | undefined;
export type Row = Readonly<Record<string, Cell>>;

export interface Column {
  name: string;
  /** Text of each cell; undefined where it is missing. */
  labels: (string | undefined)[];
  /** Numbers, NaN where missing; undefined where some cell is no number. */
  numbers: Float64Array | undefined;
}

export interface Table {
  rows: number;
  columns: ReadonlyMap<string, Column>;
}

const missingTexts = new Set(["", "NA", "NaN", "nan", "null"]);

/** Columns of `rows`. Missing are null, undefined, NaN and the texts "", NA, NaN, null. @throws {TableError} when empty */
export function tableFromRows(rows: readonly Row[]): Table {
  if (rows.length === 0) throw new TableError("the table has no rows");
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  const columns = new Map([...names].map((name) => [name, column(name, rows)]));
  return { rows: rows.length, columns };
}

function column(name: string, rows: readonly Row[]): Column {
  const labels = rows.map((row) => label(row[name]));
  const numbers = new Float64Array(rows.length).fill(Number.NaN);
  for (const [i, text] of labels.entries()) {
    if (text === undefined) continue;
    const value = typeof rows[i]![name] === "boolean" ? Number.NaN : Number(text);
    if (Number.isNaN(value)) return { name, labels, numbers: undefined };
    numbers[i] = value;
  }
  return { name, labels, numbers };
}

function label(cell: Cell): string | undefined {
  if (cell === null || cell === undefined) return undefined;
  const text = String(cell).trim();
  return missingTexts.has(text) ? undefined : text;
}

/** The column called `name`. @throws {TableError} with the nearest name */
export function columnNamed(table: Table, name: string): Column {
  const column = table.columns.get(name);
  if (column !== undefined) return column;
  throw new TableError(`unknown column "${name}"`, {
    column: name,
    hint: nearestHint(name, table.columns.keys()),
  });
}

/** The rows `keep` of a table, in that order. */
export function selectRows(table: Table, keep: readonly number[]): Table {
  const columns = new Map<string, Column>();
  for (const [name, { labels, numbers }] of table.columns) {
    columns.set(name, {
      name,
      labels: keep.map((i) => labels[i]),
      numbers: numbers && Float64Array.from(keep, (i) => numbers[i]!),
    });
  }
  return { rows: keep.length, columns };
}

/** `did you mean …` with the nearest of `names`, then all of them. */
export function nearestHint(name: string, names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "there is none to choose from";
  return `did you mean "${closest(name, all)}"? There are: ${all.join(", ")}`;
}
