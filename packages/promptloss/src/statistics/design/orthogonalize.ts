// An orthogonal basis of the fixed-effects columns, so that an optimizer sees well scaled, uncorrelated coordinates
// whatever the units of the predictors. Columns that are combinations of earlier ones are found and left out.
import type { DesignColumn } from "./columns.ts";

// A column is aliased when less than this share of its length is new; R's tolerance in lm.
const aliasTolerance = 1e-7;

export interface OrthogonalBasis {
  /** Index of each column kept. */
  kept: number[];
  /** Names of the columns left out, in order. */
  aliased: string[];
  /** p vectors of n, orthogonal, each of root mean square 1. */
  basis: Float64Array[];
  /** Upper triangular p x p, by rows: coefficients of the kept columns = transform times those of the basis. */
  transform: number[][];
}

/** Modified Gram-Schmidt, twice for accuracy. */
export function orthogonalize(columns: readonly DesignColumn[]): OrthogonalBasis {
  const kept: number[] = [];
  const aliased: string[] = [];
  const basis: Float64Array[] = [];
  // basis_k = Σ_j columns_j inverse_jk
  const combinations: number[][] = [];
  for (const [at, { name, values }] of columns.entries()) {
    const n = values.length;
    const length = Math.sqrt(dot(values, values) / n);
    const rest = Float64Array.from(values);
    const combination = new Array<number>(kept.length + 1).fill(0);
    combination[kept.length] = 1;
    for (let pass = 0; pass < 2; pass++) {
      for (const [k, q] of basis.entries()) {
        const share = dot(q, rest) / n;
        for (let i = 0; i < n; i++) rest[i]! -= share * q[i]!;
        for (const [j, c] of combinations[k]!.entries()) combination[j]! -= share * c;
      }
    }
    const left = Math.sqrt(dot(rest, rest) / n);
    if (!(left > aliasTolerance * length)) {
      aliased.push(name);
      continue;
    }
    kept.push(at);
    basis.push(rest.map((x) => x / left));
    combinations.push(combination.map((c) => c / left));
  }
  const p = kept.length;
  const transform = Array.from({ length: p }, (_, j) =>
    Array.from({ length: p }, (_, k) => (j <= k ? combinations[k]![j]! : 0)),
  );
  return { kept, aliased, basis, transform };
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
