// Whether the relation between score and weight differs by another factor (learning rate, regularizer, model): an F-test
// of a trend and curvature of each level's own against common ones, on the cells' means over tasks, within blocks. It is
// about these tasks. Levels' own findings and the best pair are descriptions beside it.
import { dot } from "../design/orthogonalize.ts";
import { FitError } from "../errors.ts";
import { fisherUpper } from "../special.ts";
import { orthonormal } from "./projection.ts";
import { blockSizes, scoreTable, type WeightRow, withinBlocks } from "./score-table.ts";

export interface InteractionRow extends WeightRow {
  /** Of the other factor. */
  readonly level: string;
}

export interface PairMean {
  readonly level: string;
  readonly plw: number;
  readonly cells: number;
  /** Over tasks and cells, on the scaled scores. */
  readonly mean: number;
}

export interface Interaction {
  readonly f: number;
  readonly df: readonly [number, number];
  readonly p: number;
  /** From the highest mean. */
  readonly pairs: readonly PairMean[];
}

/** @throws {FitError} where levels can't be told apart, {StatisticsError} where there is nothing to compare */
export function interaction(rows: readonly InteractionRow[]): Interaction {
  const { cells, scores, blocks, known } = scoreTable(rows);
  const levelOf = new Map(rows.map(({ cell, level }) => [cell, level]));
  const levels = [...new Set(cells.map(({ id }) => levelOf.get(id)!))];
  if (levels.length < 2) throw new FitError("one level is no interaction");
  const means = Float64Array.from(
    cells,
    (_, i) => scores.reduce((sum, values) => sum + values[i]!, 0) / scores.length,
  );
  const y = withinBlocks(means, cells);
  const curved = new Set(cells.map(({ wp }) => wp)).size > 2;
  const column = (value: (wp: number, level: string) => number): Float64Array =>
    withinBlocks(
      Float64Array.from(cells, ({ wp, id }) => value(wp, levelOf.get(id)!)),
      cells,
    );
  const curve = (own: (level: string) => boolean): Float64Array[] => [
    column((wp, level) => (own(level) ? wp : 0)),
    ...(curved ? [column((wp, level) => (own(level) ? wp * wp : 0))] : []),
  ];
  const common = orthonormal(curve(() => true));
  const apart = orthonormal(levels.flatMap((level) => curve((other) => other === level)));
  const explained = (basis: readonly Float64Array[]): number =>
    basis.reduce((sum, q) => sum + dot(q, y) ** 2, 0);
  const numerator = apart.length - common.length;
  const denominator = cells.length - blocks - apart.length;
  if (numerator < 1 || denominator < 1) throw new FitError("too few cells to tell the levels' curves apart");
  const rest = Math.max(0, dot(y, y) - explained(apart));
  // Noise that is known is not less than it is.
  const sizes = blockSizes(cells);
  let least = 0;
  for (const [i, variance] of known?.entries() ?? []) {
    const left = 1 - 1 / sizes.get(cells[i]!.block)! - apart.reduce((all, q) => all + q[i]! ** 2, 0);
    least += (variance * left) / scores.length;
  }
  const f = (explained(apart) - explained(common)) / numerator / (Math.max(least, rest) / denominator);
  const pairs = new Map<string, { level: string; plw: number; sum: number; count: number }>();
  for (const [i, { id, plw }] of cells.entries()) {
    const level = levelOf.get(id)!;
    const key = JSON.stringify([level, plw]);
    const known = pairs.get(key) ?? { level, plw, sum: 0, count: 0 };
    pairs.set(key, { ...known, sum: known.sum + means[i]!, count: known.count + 1 });
  }
  return {
    ...{ f, df: [numerator, denominator] as const, p: fisherUpper(f, numerator, denominator) },
    pairs: [...pairs.values()]
      .map(({ level, plw, sum, count }) => ({ level, plw, cells: count, mean: sum / count }))
      .sort((a, b) => b.mean - a.mean),
  };
}
