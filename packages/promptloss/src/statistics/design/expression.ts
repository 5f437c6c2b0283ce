// Evaluates a variable of a formula, arithmetic and a few functions over columns, to numbers for each row. Statistics
// that a function needs from the data (scale's mean and deviation) are kept, so that new rows get the same ones.
import { FormulaError } from "../errors.ts";
import { deparse } from "../formula/deparse.ts";
import type { Node } from "../formula/parse.ts";
import { nearestHint, type Table } from "./table.ts";

const functions: Record<string, (x: number) => number> = {
  I: (x) => x,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  exp: Math.exp,
  sqrt: Math.sqrt,
  abs: Math.abs,
  logit: (x) => Math.log(x / (1 - x)),
};

const operators: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
};

/** Means and deviations that scale() took from the data it was first evaluated on, by the text of its argument. */
export type Scales = Map<string, { mean: number; sd: number }>;

/** Names of the functions that a formula may use. */
export const functionNames: readonly string[] = [...Object.keys(functions), "scale", "factor"];

/**
 * Values of a numeric expression for each row of `table`. A missing cell gives NaN.
 * @throws {FormulaError} for an unknown column or function, and for a column of labels where numbers are needed
 */
export function evaluate(node: Node, table: Table, formula: string, scales: Scales): Float64Array {
  const visit = (at: Node): Float64Array => {
    switch (at.type) {
      case "number":
        return new Float64Array(table.rows).fill(at.value);
      case "name":
        return numericColumn(at.name, at, table, formula);
      case "group":
        return visit(at.inner);
      case "sign":
        return at.sign === "+" ? visit(at.operand) : visit(at.operand).map((x) => -x);
      case "call":
        return call(at);
      case "binary": {
        const operator = operators[at.operator];
        if (operator === undefined)
          throw new FormulaError(`"${at.operator}" is no arithmetic`, formula, at.start);
        const left = visit(at.left);
        const right = visit(at.right);
        return left.map((x, i) => operator(x, right[i]!));
      }
    }
  };
  const call = (at: Node & { type: "call" }): Float64Array => {
    if (at.name === "factor") {
      throw new FormulaError("factor( ) gives labels, where numbers are needed", formula, at.start);
    }
    const f = functions[at.name];
    if (f === undefined && at.name !== "scale") {
      throw new FormulaError(`unknown function "${at.name}"`, formula, at.start, {
        hint: nearestHint(at.name, functionNames),
      });
    }
    if (at.args.length !== 1) {
      throw new FormulaError(`${at.name}( ) takes one argument, not ${at.args.length}`, formula, at.start);
    }
    const values = visit(at.args[0]!);
    return f === undefined ? scaled(deparse(at.args[0]!), values, scales) : values.map((x) => f(x));
  };
  return visit(node);
}

/** The column's numbers, or a FormulaError that names the nearest column. */
function numericColumn(name: string, at: Node, table: Table, formula: string): Float64Array {
  const column = table.columns.get(name);
  if (column === undefined) throw unknownColumn(name, at, table, formula);
  if (column.numbers !== undefined) return column.numbers;
  const row = column.labels.findIndex((text) => text !== undefined && Number.isNaN(Number(text)));
  throw new FormulaError(
    `column "${name}" holds labels (row ${row + 1}: ${JSON.stringify(column.labels[row])}), where numbers are needed`,
    formula,
    at.start,
  );
}

export function unknownColumn(name: string, at: Node, table: Table, formula: string): FormulaError {
  return new FormulaError(`unknown column "${name}"`, formula, at.start, {
    hint: nearestHint(name, table.columns.keys()),
  });
}

function scaled(key: string, values: Float64Array, scales: Scales): Float64Array {
  let scale = scales.get(key);
  if (scale === undefined) {
    const known = values.filter((x) => !Number.isNaN(x));
    const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
    const sd = Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (known.length - 1));
    scale = { mean, sd };
    scales.set(key, scale);
  }
  const { mean, sd } = scale;
  return values.map((x) => (x - mean) / sd);
}
