// From a formula and a table to what a fit needs: response, fixed-effects columns, and for each random effect its
// columns and groups. Rows with a missing cell in a column that the formula uses are left out and counted.
import { FitError, TableError } from "../errors.ts";
import { columnsOf, deparse } from "../formula/deparse.ts";
import type { ModelFormula, RandomTerm, Term } from "../formula/terms.ts";
import { type DesignColumn, designColumns } from "./columns.ts";
import { evaluate, unknownColumn } from "./expression.ts";
import { selectRows, type Table } from "./table.ts";
import { type Coding, newCoding, sortedLevels, type Variable, variable } from "./variables.ts";

export interface RandomDesign {
  /** `model`, or `model:benchmark` for combinations. */
  group: string;
  levels: readonly string[];
  /** Index into `levels` of each row; -1 for a group that the fit has not seen. */
  codes: Int32Array;
  columns: readonly DesignColumn[];
  uncorrelated: boolean;
}

export interface ModelFrame {
  formula: ModelFormula;
  /** The rows in use, all columns. */
  table: Table;
  /** Rows in use. */
  rows: number;
  /** Index in the given table of each row in use. */
  kept: readonly number[];
  /** Number of rows left out for a missing cell. */
  dropped: number;
  responseName: string;
  /** [rows] */
  response: Float64Array;
  fixed: readonly DesignColumn[];
  random: readonly RandomDesign[];
  coding: Coding;
}

/** Builds the frame. @throws {FormulaError}, {TableError} for a value that can't be used, {FitError} when no row is left */
export function modelFrame(formula: ModelFormula, table: Table): ModelFrame {
  const kept = completeRows(formula, table);
  if (kept.length === 0) throw new FitError("every row misses a value in some column of the formula");
  const used = selectRows(table, kept);
  const coding = newCoding();
  const response = evaluate(formula.response, used, formula.source, coding.scales);
  requireFinite(deparse(formula.response), response, kept);
  const { fixed, random } = designFor(formula, used, coding, kept);
  return {
    formula,
    table: used,
    rows: kept.length,
    kept,
    dropped: table.rows - kept.length,
    responseName: deparse(formula.response),
    response,
    fixed,
    random,
    coding,
  };
}

export interface Design {
  fixed: DesignColumn[];
  random: RandomDesign[];
}

/** Model matrices of `table` with the levels and scales of `coding`; a group that is not in it gets the code -1. */
export function designFor(
  formula: ModelFormula,
  table: Table,
  coding: Coding,
  rowNumbers?: readonly number[],
): Design {
  const variables = new Map<string, Variable>();
  for (const [text, node] of formula.variables) {
    const value = variable(text, node, table, formula.source, coding);
    if (value.kind === "numeric") requireFinite(text, value.values, rowNumbers);
    variables.set(text, value);
  }
  const columns = (terms: readonly Term[], intercept: boolean): DesignColumn[] =>
    designColumns(terms, intercept, variables, table.rows);
  return {
    fixed: columns(formula.terms, formula.intercept),
    random: formula.random.map((term) => ({
      ...grouping(term, table, formula, coding),
      columns: columns(term.terms, term.intercept),
      uncorrelated: term.uncorrelated,
    })),
  };
}

function grouping(
  { group, groupColumns }: RandomTerm,
  table: Table,
  formula: ModelFormula,
  coding: Coding,
): { group: string; levels: readonly string[]; codes: Int32Array } {
  const parts = groupColumns.map((node) => {
    const column = node.type === "name" ? table.columns.get(node.name) : undefined;
    if (column === undefined) throw unknownColumn(deparse(node), node, table, formula.source);
    return column;
  });
  const labels = Array.from({ length: table.rows }, (_, row) =>
    parts.map((part) => part.labels[row]).join(":"),
  );
  const key = `| ${group}`;
  const levels = coding.levels.get(key) ?? sortedLevels(labels);
  coding.levels.set(key, levels);
  const index = new Map(levels.map((level, i) => [level, i]));
  return { group, levels, codes: Int32Array.from(labels, (label) => index.get(label) ?? -1) };
}

function completeRows(formula: ModelFormula, table: Table): number[] {
  const nodes = [
    formula.response,
    ...formula.variables.values(),
    ...formula.random.flatMap((r) => r.groupColumns),
  ];
  const names = new Set(nodes.flatMap((node) => [...columnsOf(node)]));
  const columns = [...names].flatMap((name) => table.columns.get(name) ?? []);
  return Array.from({ length: table.rows }, (_, row) => row).filter((row) =>
    columns.every((column) => column.labels[row] !== undefined),
  );
}

function requireFinite(name: string, values: Float64Array, rowNumbers: readonly number[] | undefined): void {
  const at = values.findIndex((x) => !Number.isFinite(x));
  if (at < 0) return;
  const row = rowNumbers?.[at] ?? at;
  throw new TableError(`row ${row + 1}: ${name} is ${values[at]}`, {
    row,
    column: name,
    hint: "correct the value, or change the expression so that it is finite for every row",
  });
}
