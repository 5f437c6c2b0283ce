// The latent part of a model: η = offset + A v with a Gaussian prior of diagonal precision on v (0 where it is flat).
// A is kept by rows, only what is not 0: crossed and nested groups touch a few columns a row.

/** Compressed rows of A, [rows, size]. */
export interface LatentDesign {
  rows: number;
  /** Length of v. */
  size: number;
  /** [rows + 1]; row i holds entries rowStart[i] to rowStart[i + 1]. */
  rowStart: Int32Array;
  /** Column of each entry. */
  index: Int32Array;
  value: Float64Array;
}

/** out = offset + A v, [rows]. */
export function linearPredictor(
  design: LatentDesign,
  v: Float64Array,
  offset: Float64Array,
  out: Float64Array,
): void {
  const { rowStart, index, value } = design;
  for (let i = 0; i < design.rows; i++) {
    let sum = offset[i]!;
    for (let e = rowStart[i]!; e < rowStart[i + 1]!; e++) sum += value[e]! * v[index[e]!]!;
    out[i] = sum;
  }
}

/** A' x, [size]. */
export function transposeTimes(design: LatentDesign, x: Float64Array): Float64Array {
  const { rowStart, index, value } = design;
  const out = new Float64Array(design.size);
  for (let i = 0; i < design.rows; i++) {
    for (let e = rowStart[i]!; e < rowStart[i + 1]!; e++) out[index[e]!]! += value[e]! * x[i]!;
  }
  return out;
}

/** The lower triangle of A' diag(w) A, [size * size] by rows. */
export function weightedGram(design: LatentDesign, w: Float64Array): Float64Array {
  const { rowStart, index, value, size } = design;
  const out = new Float64Array(size * size);
  for (let i = 0; i < design.rows; i++) {
    const start = rowStart[i]!;
    for (let e = start; e < rowStart[i + 1]!; e++) {
      const a = index[e]!;
      const scaled = value[e]! * w[i]!;
      for (let f = start; f <= e; f++) {
        const b = index[f]!;
        out[a > b ? a * size + b : b * size + a]! += scaled * value[f]!;
      }
    }
  }
  return out;
}

/** A design from columns of [rows] each, without their zeros. */
export function sparseDesign(columns: readonly Float64Array[], rows: number): LatentDesign {
  const rowStart = new Int32Array(rows + 1);
  const index: number[] = [];
  const value: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (const [j, column] of columns.entries()) {
      if (column[i] === 0) continue;
      index.push(j);
      value.push(column[i]!);
    }
    rowStart[i + 1] = index.length;
  }
  return {
    rows,
    size: columns.length,
    rowStart,
    index: Int32Array.from(index),
    value: Float64Array.from(value),
  };
}
