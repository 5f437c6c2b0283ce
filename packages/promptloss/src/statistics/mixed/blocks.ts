// The covariance of one random-effects block, Σ = ΛΛ', through the entries of its Cholesky factor Λ: lower triangular,
// or diagonal for `||`. The optimizer moves the entries themselves, so that a zero variance or a correlation of ±1 is
// an ordinary point (Λ singular), where glmmTMB's log deviations run off to infinity.
import type { RandomDesign } from "../design/model-frame.ts";

export interface Block {
  design: RandomDesign;
  /** Number of effects a group, p. */
  effects: number;
  groups: number;
  /** Root mean square of each column; the block works with columns divided by it. */
  scales: number[];
  /** Columns over their scales. */
  columns: Float64Array[];
  /** First column of the block in the latent vector. */
  start: number;
  /** Rows and columns of Λ that are free, in the order of the parameters. */
  entries: [number, number][];
}

/** Blocks of the random effects, with their places in the latent vector: most groups first, for the factor's sake. */
export function blocks(random: readonly RandomDesign[]): Block[] {
  const all = random.map(blockOf);
  let start = 0;
  for (const block of [...all].sort((a, b) => b.groups - a.groups)) {
    block.start = start;
    start += block.effects * block.groups;
  }
  return all;
}

function blockOf(design: RandomDesign): Block {
  const effects = design.columns.length;
  const groups = design.levels.length;
  const scales = design.columns.map(({ values }) => {
    const square = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    return square > 0 ? Math.sqrt(square) : 1;
  });
  const columns = design.columns.map(({ values }, m) => values.map((x) => x / scales[m]!));
  const entries: [number, number][] = [];
  for (let m = 0; m < effects; m++) {
    for (let k = design.uncorrelated ? m : 0; k <= m; k++) entries.push([m, k]);
  }
  return { design, effects, groups, scales, columns, start: 0, entries };
}

/** Λ of the scaled effects, p x p by rows. */
export function factorOf(block: Block, parameters: ArrayLike<number>, from = 0): Float64Array {
  const p = block.effects;
  const lambda = new Float64Array(p * p);
  for (const [t, [m, k]] of block.entries.entries()) lambda[m * p + k] = parameters[from + t]!;
  return lambda;
}

export interface VarianceComponent {
  group: string;
  /** Number of groups. */
  groups: number;
  effects: string[];
  /** Standard deviation of each effect, in the units of its column. */
  sd: number[];
  /** p x p; the identity for uncorrelated effects. */
  correlation: number[][];
  uncorrelated: boolean;
}

/** Deviations and correlations that Λ stands for. A correlation with an effect of no variance is NaN. */
export function varianceComponent(block: Block, lambda: Float64Array): VarianceComponent {
  const p = block.effects;
  const inner = (a: number, b: number): number => {
    let sum = 0;
    for (let k = 0; k < p; k++) sum += lambda[a * p + k]! * lambda[b * p + k]!;
    return sum;
  };
  const sd = Array.from({ length: p }, (_, m) => Math.sqrt(inner(m, m)));
  return {
    group: block.design.group,
    groups: block.groups,
    effects: block.design.columns.map(({ name }) => name),
    sd: sd.map((s, m) => s / block.scales[m]!),
    correlation: sd.map((a, i) => sd.map((b, j) => (i === j ? 1 : inner(i, j) / (a * b)))),
    uncorrelated: block.design.uncorrelated,
  };
}
