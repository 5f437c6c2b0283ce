// The quadratic in one variable that a fit's linear predictor is, read off the model matrix: whatever way the formula
// spells it (wp^2, I(wp^2), interactions), intercept, slope and curvature are combinations of the coefficients.
import { columnNamed, type Row } from "../design/table.ts";
import { NoCurveError, StatisticsError } from "../errors.ts";
import { columnsOf } from "../formula/deparse.ts";
import type { MixedModelFit } from "../mixed/fit.ts";
import { fixedRows } from "../mixed/predict.ts";
import { baseRow } from "./base-row.ts";

export interface QuadraticContrasts {
  /** Weights of the coefficients, [p] each: η = constant + linear x + quadratic x². */
  constant: number[];
  linear: number[];
  quadratic: number[];
}

/**
 * The quadratic in `variable` with the other columns at `at`. Columns that don't interact with it may be left out of
 * `at`: numeric ones are then at their means, factors at their base level.
 * @throws {StatisticsError} when the formula isn't a quadratic in the variable, or when `at` lacks a column
 */
export function quadraticContrasts(fit: MixedModelFit, variable: string, at: Row): QuadraticContrasts {
  const { frame } = fit.state;
  columnNamed(frame.table, variable);
  const lacking = [...partners(fit, variable)].filter((name) => at[name] === undefined);
  if (lacking.length > 0) {
    throw new StatisticsError(`the effect of ${variable} differs by ${lacking.join(" and ")}`, {
      hint: `say for which: at { ${lacking.map((name) => `${name}: …`).join(", ")} }`,
    });
  }
  const base = baseRow(fit, at);
  const rows = [0, 0.25, 0.5, 1].map((x) => ({ ...base, [variable]: x }));
  const [zero, quarter, half, one] = fixedRows(fit, rows) as [number[], number[], number[], number[]];
  const quadratic = zero.map((x, j) => 2 * (x - 2 * half[j]! + one[j]!));
  const linear = zero.map((x, j) => one[j]! - x - quadratic[j]!);
  const bent = zero.some((x, j) => {
    const expected = x + linear[j]! / 4 + quadratic[j]! / 16;
    return Math.abs(quarter[j]! - expected) > 1e-9 * (1 + Math.abs(expected));
  });
  if (bent)
    throw new StatisticsError(
      `"${fit.formula}" is no quadratic in ${variable}: it has other functions of it`,
    );
  if (quadratic.every((x) => Math.abs(x) < 1e-9)) {
    throw new NoCurveError(`"${fit.formula}" has no square of ${variable}, so its curve has no vertex`, {
      hint: `add ${variable}^2 to the formula`,
    });
  }
  return { constant: zero, linear, quadratic };
}

/** Columns in a term together with `variable`. */
function partners({ state }: MixedModelFit, variable: string): Set<string> {
  const { terms, variables } = state.frame.formula;
  const found = new Set<string>();
  for (const term of terms) {
    const columns = new Set(term.variables.flatMap((text) => [...columnsOf(variables.get(text)!)]));
    if (columns.delete(variable)) for (const column of columns) found.add(column);
  }
  return found;
}
