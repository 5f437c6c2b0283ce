// Kenward and Roger's F-test of combinations of a Gaussian mixed model's coefficients (1997): the covariance of the
// coefficients adjusted for the variances' being estimated, and an F with scale and degrees of freedom that match its
// moments, as R's pbkrtest has it (Halekoh and Højsgaard 2014). Dense in the rows: for tables up to a thousand or so.
import { Matrix, pseudoInverse } from "ml-matrix";
import { eigen } from "../engine/eigen.ts";
import { StatisticsError } from "../errors.ts";
import { fisherUpper } from "../special.ts";
import { factorOf } from "./blocks.ts";
import type { MixedModelFit } from "./fit.ts";
import { layout } from "./likelihood.ts";
import type { FTest } from "./satterthwaite.ts";

export interface KenwardRoger {
  /** Of the coefficients, adjusted for the variances' uncertainty, p x p. */
  readonly covariance: readonly (readonly number[])[];
  /** Combinations of the coefficients, [q][p], rows independent. */
  joint(rows: readonly (readonly number[])[]): FTest;
}

/** Rows of the table up to which matrices of rows by rows are reasonable. */
const MOST_ROWS = 1500;

/** @throws {StatisticsError} for a fit that is not Gaussian by REML, or a table too long */
export function kenwardRoger(fit: MixedModelFit): KenwardRoger {
  if (!fit.reml)
    throw new StatisticsError("Kenward and Roger's test belongs to Gaussian REML fits", {
      hint: "use family gaussian with reml",
    });
  const { frame, problem, responseScale } = fit.state;
  const n = frame.rows;
  if (n > MOST_ROWS)
    throw new StatisticsError(
      `Kenward and Roger's test takes ${MOST_ROWS} rows at most, and there are ${n}`,
      {
        hint: "use Satterthwaite's degrees of freedom",
      },
    );
  const kept = problem.fixed.kept;
  const x = new Matrix(n, kept.length);
  for (const [j, at] of kept.entries()) for (let i = 0; i < n; i++) x.set(i, j, frame.fixed[at]!.values[i]!);
  const { pieces, v } = covarianceOfRows(fit, responseScale);
  const inverse = inverseOf(v);
  const phi = inverseOf(x.transpose().mmul(inverse).mmul(x));
  const vx = inverse.mmul(x);
  // P_i = −X'V⁻¹G_iV⁻¹X, Q_ij = X'V⁻¹G_iV⁻¹G_jV⁻¹X
  const gvx = pieces.map((g) => g.mmul(vx));
  const p = gvx.map((right) => vx.transpose().mmul(right).mul(-1));
  const vgvx = gvx.map((right) => inverse.mmul(right));
  const q = gvx.map((left) => vgvx.map((right) => left.transpose().mmul(right)));
  const vg = pieces.map((g) => inverse.mmul(g));
  const count = pieces.length;
  const information = new Matrix(count, count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const pij = phi.mmul(p[i]!).mmul(phi).mmul(p[j]!).trace();
      const value = productTrace(vg[i]!, vg[j]!) - 2 * phi.mmul(q[i]![j]!).trace() + pij;
      information.set(i, j, value);
      information.set(j, i, value);
    }
  }
  const w = pseudoInverse(information).mul(2);
  const adjustment = new Matrix(kept.length, kept.length);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const pp = p[i]!.mmul(phi).mmul(p[j]!);
      adjustment.add(Matrix.sub(q[i]![j]!, pp).mul(w.get(i, j)));
    }
  }
  const adjusted = Matrix.add(phi, phi.mmul(adjustment).mmul(phi).mul(2));
  const beta = Matrix.columnVector(fit.coefficients.map(({ estimate }) => estimate));
  return {
    covariance: adjusted.to2DArray(),
    joint: (rows) => jointTest(new Matrix(rows.map((row) => [...row])), beta, phi, adjusted, p, w),
  };
}

/** Moments of the F-statistic by the paper's expansion, and the F that has them. */
function jointTest(
  l: Matrix,
  beta: Matrix,
  phi: Matrix,
  adjusted: Matrix,
  p: readonly Matrix[],
  w: Matrix,
): FTest {
  const q = l.rows;
  const theta = l
    .transpose()
    .mmul(inverseOf(l.mmul(phi).mmul(l.transpose())))
    .mmul(l);
  const products = p.map((each) => theta.mmul(phi).mmul(each).mmul(phi));
  let a1 = 0;
  let a2 = 0;
  for (const [i, first] of products.entries()) {
    for (const [j, second] of products.entries()) {
      a1 += w.get(i, j) * first.trace() * second.trace();
      a2 += w.get(i, j) * first.mmul(second).trace();
    }
  }
  const b = (a1 + 6 * a2) / (2 * q);
  const g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2);
  const c = 3 * q + 2 * (1 - g);
  const [c1, c2, c3] = [g / c, (q - g) / c, (q + 2 - g) / c];
  const expectation = 1 / (1 - a2 / q);
  const variance = (2 / q) * ((1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b)));
  const rho = variance / (2 * expectation ** 2);
  const denominatorDf = 4 + (q + 2) / (q * rho - 1);
  const scale = denominatorDf / (expectation * (denominatorDf - 2));
  const lb = l.mmul(beta);
  const wald =
    lb
      .transpose()
      .mmul(inverseOf(l.mmul(adjusted).mmul(l.transpose())))
      .mmul(lb)
      .get(0, 0) / q;
  // With one row and no uncertainty but the residual's the moments are an F's own: 0/0 in the formulas.
  const exact = Number.isFinite(denominatorDf) ? denominatorDf : Number.POSITIVE_INFINITY;
  const f = (Number.isFinite(scale) ? scale : 1) * wald;
  return { f, numeratorDf: q, denominatorDf: exact, p: fisherUpper(f, q, exact) };
}

/** V = Σ γ_i G_i: the matrices G of each variance and covariance, the residual's last, and V itself. */
function covarianceOfRows(fit: MixedModelFit, responseScale: number): { pieces: Matrix[]; v: Matrix } {
  const { problem, optimum, frame, family } = fit.state;
  const n = frame.rows;
  const places = layout(problem);
  const pieces: Matrix[] = [];
  const v = new Matrix(n, n);
  for (const [b, block] of problem.blocks.entries()) {
    const lambda = factorOf(block, optimum, places.blocks[b]!);
    const { codes } = block.design;
    for (const [m, k] of block.entries) {
      let gamma = 0;
      for (let e = 0; e < block.effects; e++)
        gamma += lambda[m * block.effects + e]! * lambda[k * block.effects + e]!;
      const g = new Matrix(n, n);
      const [first, second] = [block.columns[m]!, block.columns[k]!];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (codes[i] !== codes[j]) continue;
          const value = m === k ? first[i]! * first[j]! : first[i]! * second[j]! + second[i]! * first[j]!;
          g.set(i, j, value);
        }
      }
      pieces.push(g);
      v.add(Matrix.mul(g, gamma * responseScale ** 2));
    }
  }
  const residual = (family.dispersion(optimum[places.tau]!) * responseScale) ** 2;
  const identity = Matrix.eye(n, n);
  pieces.push(identity);
  v.add(Matrix.mul(identity, residual));
  // What is known adds to V and is no parameter.
  for (const [i, known] of family.known?.entries() ?? [])
    v.set(i, i, v.get(i, i) + known * responseScale ** 2);
  return { pieces, v };
}

function productTrace(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) for (let j = 0; j < a.columns; j++) sum += a.get(i, j) * b.get(j, i);
  return sum;
}

/** Of a symmetric positive matrix. */
function inverseOf(matrix: Matrix): Matrix {
  const n = matrix.rows;
  const { values, vectors } = eigen(Float64Array.from(matrix.to1DArray()), n);
  const out = new Matrix(n, n);
  const floor = 1e-14 * Math.max(...values);
  for (const [k, value] of values.entries()) {
    if (!(value > floor)) continue;
    const vector = vectors[k]!;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) out.set(i, j, out.get(i, j) + (vector[i]! * vector[j]!) / value);
  }
  return out;
}
