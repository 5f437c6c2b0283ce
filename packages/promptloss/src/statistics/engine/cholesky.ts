// Cholesky's factor of a symmetric matrix kept by rows, with the leading zeros of each row left out of every loop (the
// skyline method, George and Liu 1981, ch. 4). Random effects eliminated largest grouping first then cost next to
// nothing: crossed and nested groups fill in only below. ml-matrix's dense one is the reference in the test.

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
  const l = new Float64Array(size * size);
  const first = new Int32Array(size);
  let logDet = 0;
  for (let i = 0; i < size; i++) {
    const row = i * size;
    let start = 0;
    while (start < i && lower[row + start] === 0) start++;
    first[i] = start;
    let square = lower[row + i]!;
    for (let j = start; j < i; j++) {
      const other = j * size;
      let sum = lower[row + j]!;
      for (let k = Math.max(start, first[j]!); k < j; k++) sum -= l[row + k]! * l[other + k]!;
      const value = sum / l[other + j]!;
      l[row + j] = value;
      square -= value * value;
    }
    if (!(square > 0) || square === Number.POSITIVE_INFINITY) return undefined;
    l[row + i] = Math.sqrt(square);
    logDet += Math.log(square);
  }

  const forward = (x: Float64Array, from: number): void => {
    for (let i = from; i < size; i++) {
      const row = i * size;
      let sum = x[i]!;
      for (let k = Math.max(first[i]!, from); k < i; k++) sum -= l[row + k]! * x[k]!;
      x[i] = sum / l[row + i]!;
    }
  };
  const backward = (x: Float64Array): void => {
    for (let i = size - 1; i >= 0; i--) {
      const row = i * size;
      const value = x[i]! / l[row + i]!;
      x[i] = value;
      if (value !== 0) for (let k = first[i]!; k < i; k++) x[k]! -= l[row + k]! * value;
    }
  };
  return {
    logDet,
    solve(x) {
      const out = Float64Array.from(x);
      forward(out, 0);
      backward(out);
      return out;
    },
    solveUpper(x) {
      const out = Float64Array.from(x);
      backward(out);
      return out;
    },
    inverse() {
      const out = new Float64Array(size * size);
      for (let c = 0; c < size; c++) {
        // Symmetric, so that a column may be written as a row.
        const column = out.subarray(c * size, (c + 1) * size);
        column[c] = 1;
        forward(column, c);
        backward(column);
      }
      return out;
    },
  };
}
