// Scores of several benchmarks on one scale: differences from the benchmark's mean over its deviation within blocks
// (cells that differ in their weight alone), so that neither units nor seeds' levels weigh.
import { TableError } from "../errors.ts";
import type { AppliedTransform } from "./unit-interval.ts";

/** @param blocks of each score; one for all where left out */
export function zScores(
  scores: readonly number[],
  groups: readonly string[],
  blocks: readonly string[] = groups,
): { scores: number[]; applied: AppliedTransform } {
  const rows = new Map<string, number[]>();
  for (const [i, group] of groups.entries()) rows.set(group, [...(rows.get(group) ?? []), i]);
  const parameters: Record<string, number> = {};
  const out = new Array<number>(scores.length);
  for (const [group, at] of rows) {
    const mean = meanOf(at.map((i) => scores[i]!));
    const byBlock = new Map<string, number[]>();
    for (const i of at) byBlock.set(blocks[i]!, [...(byBlock.get(blocks[i]!) ?? []), scores[i]!]);
    let squares = 0;
    for (const own of byBlock.values()) {
      const level = meanOf(own);
      for (const y of own) squares += (y - level) ** 2;
    }
    const deviation = Math.sqrt(squares / Math.max(1, at.length - byBlock.size));
    if (!(deviation > 1e-12 * Math.abs(mean))) {
      throw new TableError(`z-score: all scores of ${group} are alike within blocks, which leaves no scale`, {
        column: group,
        hint: "leave that group out",
      });
    }
    parameters[`${group} mean`] = mean;
    parameters[`${group} deviation`] = deviation;
    for (const i of at) out[i] = (scores[i]! - mean) / deviation;
  }
  return {
    scores: out,
    applied: {
      name: "z-score",
      description: "(y − mean) / deviation within each group; the deviation is that within blocks of cells",
      parameters,
    },
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, y) => sum + y, 0) / values.length;
}
