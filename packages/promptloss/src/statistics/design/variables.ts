// The variables of a formula over a table: numeric ones with their values, factors with levels and codes. Levels and
// scales are learned from the data of the fit and reused for new rows.
import { FormulaError, TableError } from "../errors.ts";
import type { Node } from "../formula/parse.ts";
import { evaluate, type Scales, unknownColumn } from "./expression.ts";
import { type Column, nearestHint, type Table } from "./table.ts";

export interface NumericVariable {
  kind: "numeric";
  values: Float64Array;
}

export interface FactorVariable {
  kind: "factor";
  levels: readonly string[];
  /** Index into `levels` for each row, -1 where missing. */
  codes: Int32Array;
}

export type Variable = NumericVariable | FactorVariable;

/** What a fit remembers of its variables, so that other rows are coded alike. */
export interface Coding {
  scales: Scales;
  levels: Map<string, readonly string[]>;
}

export function newCoding(): Coding {
  return { scales: new Map(), levels: new Map() };
}

/** Levels in the order of their numbers where all are numbers, else of their code points. */
export function sortedLevels(labels: Iterable<string>): string[] {
  const levels = [...new Set(labels)];
  const numeric = levels.every((level) => !Number.isNaN(Number(level)));
  return numeric ? levels.sort((a, b) => Number(a) - Number(b)) : levels.sort((a, b) => (a < b ? -1 : 1));
}

/** The variable that `node` names or computes. `coding` gains what is new to it. */
export function variable(text: string, node: Node, table: Table, formula: string, coding: Coding): Variable {
  const labeled = labelColumn(node, table, formula);
  if (labeled === undefined)
    return { kind: "numeric", values: evaluate(node, table, formula, coding.scales) };
  return factor(text, labeled, coding);
}

/** The column behind a factor: one of labels, or any in factor( ). */
function labelColumn(node: Node, table: Table, formula: string): Column | undefined {
  if (node.type === "name") {
    const column = table.columns.get(node.name);
    if (column === undefined) throw unknownColumn(node.name, node, table, formula);
    return column.numbers === undefined ? column : undefined;
  }
  if (node.type !== "call" || node.name !== "factor") return undefined;
  const [argument, ...more] = node.args;
  if (argument?.type !== "name" || more.length > 0) {
    throw new FormulaError("factor( ) takes one column", formula, node.start);
  }
  const column = table.columns.get(argument.name);
  if (column === undefined) throw unknownColumn(argument.name, argument, table, formula);
  return column;
}

/** Codes a column by its levels. @throws {TableError} for a label that `coding` has not seen */
export function factor(text: string, column: Column, coding: Coding): FactorVariable {
  let levels = coding.levels.get(text);
  if (levels === undefined) {
    levels = sortedLevels(column.labels.filter((label) => label !== undefined));
    coding.levels.set(text, levels);
  }
  const index = new Map(levels.map((level, i) => [level, i]));
  const codes = Int32Array.from(column.labels, (label, row) => {
    if (label === undefined) return -1;
    const code = index.get(label);
    if (code !== undefined) return code;
    throw new TableError(`row ${row + 1}: ${column.name} "${label}" was not in the data of the fit`, {
      row,
      column: column.name,
      hint: nearestHint(label, levels),
    });
  });
  return { kind: "factor", levels, codes };
}
