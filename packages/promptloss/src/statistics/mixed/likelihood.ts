// The (restricted) log-likelihood of a mixed model by the Laplace approximation, with its exact gradient. Parameters:
// the fixed effects in the orthogonal basis (not for REML, where they are latent with a flat prior), the free entries
// of each block's Λ, and τ. Random effects are b = Λu with standard normal u.
import type { OrthogonalBasis } from "../design/orthogonalize.ts";
import { adjoint, findMode, type LatentProblem, type Mode } from "../engine/laplace.ts";
import { type LatentDesign, linearPredictor } from "../engine/latent.ts";
import type { Family } from "../family/family.ts";
import { type Block, factorOf } from "./blocks.ts";

export interface MixedProblem {
  family: Family;
  /** [n] */
  y: Float64Array;
  fixed: OrthogonalBasis;
  blocks: readonly Block[];
  reml: boolean;
}

export interface Evaluation {
  logLik: number;
  gradient: Float64Array;
  mode: Mode;
}

/** Where each kind of parameter lies in the vector. */
export interface Layout {
  fixed: number;
  /** First parameter of each block. */
  blocks: number[];
  tau: number;
  length: number;
}

export function layout({ fixed, blocks, reml }: MixedProblem): Layout {
  const p = reml ? 0 : fixed.basis.length;
  let at = p;
  const starts = blocks.map((block) => {
    const start = at;
    at += block.entries.length;
    return start;
  });
  return { fixed: p, blocks: starts, tau: at, length: at + 1 };
}

/** A likelihood to evaluate again and again; remembers the last mode as the next one's start. */
export class MixedLikelihood {
  readonly problem: MixedProblem;
  readonly layout: Layout;
  readonly #design: LatentDesign;
  readonly #precision: Float64Array;
  readonly #randomSize: number;
  #start: Float64Array;

  constructor(problem: MixedProblem) {
    this.problem = problem;
    this.layout = layout(problem);
    this.#randomSize = problem.blocks.reduce((sum, { effects, groups }) => sum + effects * groups, 0);
    this.#design = emptyDesign(problem, this.#randomSize);
    this.#precision = new Float64Array(this.#design.size).fill(1, 0, this.#randomSize);
    this.#start = new Float64Array(this.#design.size);
  }

  /** Number of random effects, the first part of the latent vector. */
  get randomSize(): number {
    return this.#randomSize;
  }

  /** The linear predictor [n] at given parameters and latent vector, with no look at the response. */
  predictorAt(parameters: Float64Array, v: Float64Array): Float64Array {
    const { offset, design } = this.#at(parameters);
    const eta = new Float64Array(offset.length);
    linearPredictor(design, v, offset, eta);
    return eta;
  }

  /** Coefficients of the fixed effects in the orthogonal basis, [p]. */
  fixedPart(parameters: Float64Array, mode: Mode): Float64Array {
    return this.problem.reml ? mode.v.subarray(this.#randomSize) : parameters.subarray(0, this.layout.fixed);
  }

  /** Undefined where the likelihood has no finite approximation. */
  evaluate(parameters: Float64Array): Evaluation | undefined {
    const problem = this.#at(parameters);
    const mode = findMode(problem, this.#start);
    if (mode === undefined) return undefined;
    this.#start = mode.v;
    const { reml, fixed } = this.problem;
    // Flat directions add a factor √2π each; the basis is not the columns' own, so REML pays its determinant.
    const constant = reml ? 0.5 * fixed.basis.length * Math.log(2 * Math.PI) + logDeterminant(fixed) : 0;
    return { logLik: mode.value + constant, gradient: this.#gradient(problem, mode), mode };
  }

  #at(parameters: Float64Array): LatentProblem {
    const { family, y, fixed, blocks } = this.problem;
    const offset = new Float64Array(y.length);
    for (let j = 0; j < this.layout.fixed; j++) {
      const column = fixed.basis[j]!;
      for (let i = 0; i < offset.length; i++) offset[i]! += column[i]! * parameters[j]!;
    }
    const { value, rowStart } = this.#design;
    let place = 0;
    for (const [b, block] of blocks.entries()) {
      const p = block.effects;
      const lambda = factorOf(block, parameters, this.layout.blocks[b]!);
      for (let i = 0; i < y.length; i++) {
        for (let k = 0; k < p; k++) {
          let sum = 0;
          for (let m = k; m < p; m++) sum += block.columns[m]![i]! * lambda[m * p + k]!;
          value[rowStart[i]! + place + k] = sum;
        }
      }
      place += p;
    }
    return {
      family,
      y,
      tau: parameters[this.layout.tau]!,
      offset,
      design: this.#design,
      precision: this.#precision,
    };
  }

  #gradient(problem: LatentProblem, mode: Mode): Float64Array {
    const { fixed, blocks, y } = this.problem;
    const { eta, tau, inverseRows, pull } = adjoint(problem, mode);
    const { rowStart } = problem.design;
    const { d1, d2 } = mode.densities;
    const gradient = new Float64Array(this.layout.length);
    gradient[this.layout.tau] = tau;
    for (let j = 0; j < this.layout.fixed; j++) {
      const column = fixed.basis[j]!;
      for (let i = 0; i < y.length; i++) gradient[j]! += column[i]! * eta[i]!;
    }
    let place = 0;
    for (const [b, block] of blocks.entries()) {
      const p = block.effects;
      for (const [t, [m, k]] of block.entries.entries()) {
        const column = block.columns[m]!;
        let sum = 0;
        for (let i = 0; i < y.length; i++) {
          const at = block.start + block.design.codes[i]! * p + k;
          // Row i of A changes by column_i in place k: through η, the log-determinant, and the mode's equation.
          const share =
            eta[i]! * mode.v[at]! + d2[i]! * inverseRows[rowStart[i]! + place + k]! - d1[i]! * pull[at]!;
          sum += column[i]! * share;
        }
        gradient[this.layout.blocks[b]! + t] = sum;
      }
      place += p;
    }
    return gradient;
  }
}

function emptyDesign({ y, blocks, fixed, reml }: MixedProblem, randomSize: number): LatentDesign {
  const dense = reml ? fixed.basis.length : 0;
  const perRow = blocks.reduce((sum, { effects }) => sum + effects, 0) + dense;
  const rows = y.length;
  const index = new Int32Array(rows * perRow);
  const value = new Float64Array(rows * perRow);
  for (let i = 0; i < rows; i++) {
    let at = i * perRow;
    for (const { effects, start, design } of blocks) {
      for (let k = 0; k < effects; k++) index[at++] = start + design.codes[i]! * effects + k;
    }
    for (let j = 0; j < dense; j++) {
      value[at] = fixed.basis[j]![i]!;
      index[at++] = randomSize + j;
    }
  }
  const rowStart = Int32Array.from({ length: rows + 1 }, (_, i) => i * perRow);
  return { rows, size: randomSize + dense, rowStart, index, value };
}

/** log |det| of the map from the basis's coefficients to the columns' own. */
function logDeterminant({ transform }: OrthogonalBasis): number {
  return transform.reduce((sum, row, j) => sum + Math.log(Math.abs(row[j]!)), 0);
}
