// Symmetric matrices as the estimation needs them: Cholesky with log-determinant, inverse, eigenvalues. A thin layer
// over ml-matrix for flat lower triangles.
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from "ml-matrix";

export interface Cholesky {
  /** log |H| */
  logDet: number;
  /** H⁻¹ x */
  solve(x: Float64Array): Float64Array;
  /** H⁻¹, [size * size] by rows. */
  inverse(): Float64Array;
  /** L'⁻¹ x: turns standard normals into draws with covariance H⁻¹. */
  solveUpper(x: Float64Array): Float64Array;
}

/** Factors a symmetric matrix given by rows (the lower triangle is read), or undefined when not positive definite. */
export function cholesky(lower: Float64Array, size: number): Cholesky | undefined {
  if (size === 0)
    return { logDet: 0, solve: (x) => x, inverse: () => new Float64Array(0), solveUpper: (x) => x };
  const matrix = symmetric(lower, size);
  const factored = new CholeskyDecomposition(matrix);
  if (!factored.isPositiveDefinite()) return undefined;
  const factor = factored.lowerTriangularMatrix;
  let logDet = 0;
  for (let i = 0; i < size; i++) logDet += 2 * Math.log(factor.get(i, i));
  if (!Number.isFinite(logDet)) return undefined;
  return {
    logDet,
    solve: (x) => Float64Array.from(factored.solve(Matrix.columnVector(x)).to1DArray()),
    inverse: () => Float64Array.from(factored.solve(Matrix.eye(size, size)).to1DArray()),
    solveUpper(x) {
      const out = Float64Array.from(x);
      for (let i = size - 1; i >= 0; i--) {
        for (let j = i + 1; j < size; j++) out[i]! -= factor.get(j, i) * out[j]!;
        out[i]! /= factor.get(i, i);
      }
      return out;
    },
  };
}

export interface Eigen {
  /** Ascending. */
  values: number[];
  /** vectors[k] belongs to values[k]. */
  vectors: Float64Array[];
}

export function eigen(lower: Float64Array, size: number): Eigen {
  if (size === 0) return { values: [], vectors: [] };
  const decomposed = new EigenvalueDecomposition(symmetric(lower, size), { assumeSymmetric: true });
  const order = decomposed.realEigenvalues
    .map((value, at) => ({ value, at }))
    .sort((a, b) => a.value - b.value);
  const vectors = decomposed.eigenvectorMatrix;
  return {
    values: order.map(({ value }) => value),
    vectors: order.map(({ at }) => Float64Array.from(vectors.getColumn(at))),
  };
}

function symmetric(lower: Float64Array, size: number): Matrix {
  const matrix = new Matrix(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const x = lower[i * size + j]!;
      matrix.set(i, j, x);
      matrix.set(j, i, x);
    }
  }
  return matrix;
}
