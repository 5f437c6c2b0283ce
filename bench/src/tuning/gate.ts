// The rule that a choice by regret has to beat: the vertex of a study's quadratic where it is significant, an end where
// the course only rises or falls significantly, and otherwise PLW 0.242. Least squares with Wald's z.
import type { Observation } from "promptloss/statistics";

export const PAPER_WP = 0.242 ** 0.30103;

/** w_p that the gate says. */
export function gate(runs: readonly Observation[]): number {
  const square = leastSquares(runs.map(({ wp, score }) => ({ x: [1, wp, wp ** 2], y: score })));
  if (square !== undefined) {
    const [, b, c] = square.coefficients as [number, number, number];
    const vertex = -b / (2 * c);
    if (c < 0 && Math.abs(c / square.errors[2]!) > Z && vertex > 0 && vertex < 1) return vertex;
  }
  const line = leastSquares(runs.map(({ wp, score }) => ({ x: [1, wp], y: score })));
  if (line !== undefined && Math.abs(line.coefficients[1]! / line.errors[1]!) > Z)
    return line.coefficients[1]! > 0 ? 1 : 0;
  return PAPER_WP;
}

const Z = 1.96;

/** Undefined where there is no residual degree of freedom, or the columns are not independent. */
function leastSquares(
  rows: readonly { readonly x: readonly number[]; readonly y: number }[],
): { coefficients: number[]; errors: number[] } | undefined {
  const k = rows[0]!.x.length;
  if (rows.length <= k) return undefined;
  // [X'X | X'y | I] by Gauss-Jordan.
  const m = Array.from({ length: k }, (_, a) => [
    ...Array.from({ length: k }, (_, b) => rows.reduce((sum, { x }) => sum + x[a]! * x[b]!, 0)),
    rows.reduce((sum, { x, y }) => sum + x[a]! * y, 0),
    ...Array.from({ length: k }, (_, b) => (a === b ? 1 : 0)),
  ]);
  for (let a = 0; a < k; a++) {
    const pivot = m[a]![a]!;
    if (Math.abs(pivot) < 1e-10) return undefined;
    m[a] = m[a]!.map((value) => value / pivot);
    for (let r = 0; r < k; r++)
      if (r !== a) {
        const factor = m[r]![a]!;
        m[r] = m[r]!.map((value, j) => value - factor * m[a]![j]!);
      }
  }
  const coefficients = m.map((row) => row[k]!);
  const residual = rows.reduce(
    (sum, { x, y }) => sum + (y - x.reduce((fit, value, a) => fit + value * coefficients[a]!, 0)) ** 2,
    0,
  );
  const variance = residual / (rows.length - k);
  return { coefficients, errors: m.map((row, a) => Math.sqrt(variance * row[k + 1 + a]!)) };
}
