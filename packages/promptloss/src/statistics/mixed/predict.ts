// What a fit says of other rows: the linear predictor with its standard error, and the mean on the response's scale.
import { type Design, designFor } from "../design/model-frame.ts";
import { type Row, tableFromRows } from "../design/table.ts";
import type { MixedModelFit } from "./fit.ts";

export interface Prediction {
  /** η, on the link scale. */
  linear: number;
  /** Standard error of the fixed part of η. */
  standardError: number;
  /** μ, on the scale of the response. */
  mean: number;
}

export interface PredictOptions {
  /** Add the conditional modes of the groups that the fit has seen. Default false: a typical group. */
  conditional?: boolean;
}

/**
 * Predicts each row, which needs the columns of the formula's predictors.
 * @throws {FormulaError} for a missing column, {TableError} for a factor level that the fit hasn't seen
 */
export function predict(
  fit: MixedModelFit,
  rows: readonly Row[],
  options: PredictOptions = {},
): Prediction[] {
  const { conditional = false } = options;
  const { frame, family } = fit.state;
  const table = tableFromRows(rows);
  const withGroups = conditional ? frame.formula : { ...frame.formula, random: [] };
  const design = designFor(withGroups, table, frame.coding);
  const columns = keptColumns(fit, design);
  return rows.map((_, i) => {
    const x = columns.map((values) => values[i]!);
    let linear = fit.coefficients.reduce((sum, { estimate }, j) => sum + x[j]! * estimate, 0);
    let variance = 0;
    for (const [j, row] of fit.covariance.entries()) {
      for (const [k, c] of row.entries()) variance += x[j]! * c * x[k]!;
    }
    for (const [b, random] of design.random.entries()) {
      const code = random.codes[i]!;
      if (code < 0) continue;
      const { values } = fit.conditionalModes[b]!.levels[code]!;
      for (const [m, column] of random.columns.entries()) linear += values[m]! * column.values[i]!;
    }
    return { linear, standardError: Math.sqrt(variance), mean: family.mean(linear) };
  });
}

/** Fixed-effects columns in the order of the coefficients, [p][rows]. */
function keptColumns(fit: MixedModelFit, design: Design): Float64Array[] {
  const byName = new Map(design.fixed.map(({ name, values }) => [name, values]));
  return fit.coefficients.map(({ name }) => byName.get(name)!);
}

/** Rows of the model matrix of the fixed effects, in the order of the coefficients, [rows][p]. */
export function fixedRows(fit: MixedModelFit, rows: readonly Row[]): number[][] {
  const { frame } = fit.state;
  const design = designFor({ ...frame.formula, random: [] }, tableFromRows(rows), frame.coding);
  const columns = keptColumns(fit, design);
  return rows.map((_, i) => columns.map((values) => values[i]!));
}
