// A typical row for a fit: the mean of each numeric column, the base level of each factor.
import type { Cell, Row } from "../design/table.ts";
import { sortedLevels } from "../design/variables.ts";
import type { Node } from "../formula/parse.ts";
import type { MixedModelFit } from "../mixed/fit.ts";

/** Values for every column that the fixed effects use, those in `at` as given. */
export function baseRow({ state }: MixedModelFit, at: Row): Record<string, Cell> {
  const { formula, table } = state.frame;
  const asFactor = new Set([...formula.variables.values()].flatMap(factorColumn));
  const row: Record<string, Cell> = {};
  for (const [name, { numbers, labels }] of table.columns) {
    row[name] =
      numbers === undefined || asFactor.has(name)
        ? sortedLevels(labels.filter((label) => label !== undefined))[0]
        : numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  }
  return { ...row, ...at };
}

/** The column inside factor( ). */
function factorColumn(node: Node): string[] {
  if (node.type !== "call" || node.name !== "factor") return [];
  const [argument] = node.args;
  return argument?.type === "name" ? [argument.name] : [];
}
