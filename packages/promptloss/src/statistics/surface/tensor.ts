// The model matrix of a response surface: the tensor product of two splines, and an indicator for each group of each
// grouping, with the penalties on them.
import type { Column } from "../design/table.ts";
import { sortedLevels } from "../design/variables.ts";
import { type LatentDesign, sparseDesign } from "../engine/latent.ts";
import { FitError } from "../errors.ts";
import type { Spline } from "./spline.ts";

export interface TensorDesign {
  design: LatentDesign;
  /** Weights of the coefficients in each penalty: along w_p, along log Rg, then each grouping; [2 + groupings][size]. */
  penalties: Float64Array[];
  /** Number of groups of each grouping. */
  levels: number[];
}

export function tensorDesign(
  splines: readonly [Spline, Spline],
  w: Float64Array,
  logRatio: Float64Array,
  groupings: readonly Column[],
): TensorDesign {
  const rows = w.length;
  const [alongW, alongRatio] = splines.map(({ penalty }) => penalty) as [
    readonly number[],
    readonly number[],
  ];
  const levels = groupings.map(groupLevels);
  const tensor = alongW.length * alongRatio.length;
  const size = tensor + levels.reduce((sum, { length }) => sum + length, 0);
  const penalties = Array.from({ length: 2 + groupings.length }, () => new Float64Array(size));
  for (let k = 0; k < tensor; k++) {
    penalties[0]![k] = alongW[Math.floor(k / alongRatio.length)]!;
    penalties[1]![k] = alongRatio[k % alongRatio.length]!;
  }
  const columns = Array.from({ length: tensor }, () => new Float64Array(rows));
  for (let i = 0; i < rows; i++) {
    for (const [k, x] of tensorRow(splines, w[i]!, logRatio[i]!).entries()) columns[k]![i] = x;
  }
  for (const [g, { labels }] of groupings.entries()) {
    for (const level of levels[g]!) {
      penalties[2 + g]![columns.length] = 1;
      columns.push(Float64Array.from(labels, (label) => (label === level ? 1 : 0)));
    }
  }
  return { design: sparseDesign(columns, rows), penalties, levels: levels.map(({ length }) => length) };
}

/** The tensor product's basis functions at a point, w_p slowest. */
export function tensorRow(
  [first, second]: readonly [Spline, Spline],
  wp: number,
  logRatio: number,
): Float64Array {
  const a = first.basis(wp);
  const b = second.basis(logRatio);
  const out = new Float64Array(a.length * b.length);
  for (const [i, x] of a.entries()) for (const [j, z] of b.entries()) out[i * b.length + j] = x * z;
  return out;
}

/** A row without a label has no intercept of its own. */
function groupLevels({ name, labels }: Column): string[] {
  const levels = sortedLevels(labels.filter((label) => label !== undefined));
  if (levels.length < 2) throw new FitError(`${name} has one group: a random intercept needs two at least`);
  return levels;
}
