import fc from "fast-check";
import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { expect, test } from "vitest";
import { cholesky } from "./cholesky.ts";

/** A positive definite matrix, by rows, with a block of diagonal elements first, as random effects make. */
const matrices = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 5 }))
  .chain(([diagonal, rest]) => {
    const size = diagonal + rest;
    return fc
      .array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: size * size, maxLength: size * size })
      .map((entries) => {
        const lower = new Float64Array(size * size);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < i; j++) lower[i * size + j] = i < diagonal ? 0 : entries[i * size + j]!;
          lower[i * size + i] = 4 * size;
        }
        return { lower, size };
      });
  });

function dense(lower: Float64Array, size: number): Matrix {
  const matrix = new Matrix(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      matrix.set(i, j, lower[i * size + j]!);
      matrix.set(j, i, lower[i * size + j]!);
    }
  }
  return matrix;
}

test("agrees with ml-matrix's dense factor", () => {
  fc.assert(
    fc.property(matrices, ({ lower, size }) => {
      const reference = new CholeskyDecomposition(dense(lower, size));
      const factored = cholesky(lower, size)!;
      const logs = reference.lowerTriangularMatrix.diagonal().map(Math.log);
      expect(factored.logDet).toBeCloseTo(2 * logs.reduce((sum, x) => sum + x, 0), 10);
      const x = Float64Array.from({ length: size }, (_, i) => i + 1);
      const solved = reference.solve(Matrix.columnVector(x)).to1DArray();
      for (const [i, value] of factored.solve(x).entries()) expect(value).toBeCloseTo(solved[i]!, 10);
      const inverse = reference.solve(Matrix.eye(size, size)).to1DArray();
      for (const [i, value] of factored.inverse().entries()) expect(value).toBeCloseTo(inverse[i]!, 10);
      const upper = reference.lowerTriangularMatrix
        .transpose()
        .mmul(Matrix.columnVector(factored.solveUpper(x)));
      for (const [i, value] of upper.to1DArray().entries()) expect(value).toBeCloseTo(x[i]!, 10);
    }),
  );
});

test("what is not positive definite, or not finite, has no factor", () => {
  expect(cholesky(Float64Array.of(1, 0, 2, 1), 2)).toBeUndefined();
  expect(cholesky(Float64Array.of(0), 1)).toBeUndefined();
  expect(cholesky(Float64Array.of(Number.NaN), 1)).toBeUndefined();
  expect(cholesky(Float64Array.of(Number.POSITIVE_INFINITY), 1)).toBeUndefined();
  expect(cholesky(new Float64Array(0), 0)?.logDet).toBe(0);
});
