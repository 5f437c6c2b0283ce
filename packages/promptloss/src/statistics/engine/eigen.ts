// Eigenvalues and eigenvectors of a symmetric matrix, from ml-matrix.
import { EigenvalueDecomposition, Matrix } from "ml-matrix";

export interface Eigen {
  /** Ascending. */
  values: number[];
  /** vectors[k] belongs to values[k]. */
  vectors: Float64Array[];
}

/** Of a matrix given by rows, finite in every entry; the lower triangle is read. */
export function eigen(lower: Float64Array, size: number): Eigen {
  if (size === 0) return { values: [], vectors: [] };
  const matrix = new Matrix(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const x = lower[i * size + j]!;
      matrix.set(i, j, x);
      matrix.set(j, i, x);
    }
  }
  const decomposed = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = decomposed.realEigenvalues
    .map((value, at) => ({ value, at }))
    .sort((a, b) => a.value - b.value);
  const vectors = decomposed.eigenvectorMatrix;
  return {
    values: order.map(({ value }) => value),
    vectors: order.map(({ at }) => Float64Array.from(vectors.getColumn(at))),
  };
}
