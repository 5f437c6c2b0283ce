// Which rows to keep so that the rest has a generation ratio: rows are left out at random, none is changed. Pure and
// deterministic for a seed.
import { seededDraw, shuffle } from "../data/packing/random.ts";
import { PromptlossError } from "../errors.ts";
import { checkTarget, ratioOf, type Sides } from "./choose-rows.ts";

export interface SampleOptions {
  /** The generation ratio (ratio of means) that the rows kept are to have. */
  readonly targetRatio: number;
  readonly seed: number;
}

/**
 * The rows to keep, one flag a row. Of the rows whose own ratio lies beyond the target, seen from the others, as many
 * are left out, in random order, as bring the ratio as near to the target as one row more or less can.
 * @throws {PromptlossError} where all rows lie on one side of the target
 */
export function sampleRows(rows: readonly Sides[], { targetRatio, seed }: SampleOptions): boolean[] {
  checkTarget(targetRatio);
  // Completion tokens beyond what the target allows for: 0 at the target. Leaving a row out takes its own away.
  const excessOf = ({ prompt, completion }: Sides): number => completion - targetRatio * prompt;
  const own = rows.map(excessOf);
  const start = own.reduce((sum, each) => sum + each, 0);
  const side = Math.sign(start);
  const candidates = own.flatMap((each, i) => (Math.sign(each) === side && side !== 0 ? [i] : []));
  if (side !== 0 && candidates.length === rows.length) {
    const ratio = ratioOf(rows).toFixed(3);
    throw new PromptlossError(
      `every row's own ratio is ${side > 0 ? "above" : "below"} ${targetRatio}, so leaving rows out can't bring the generation ratio from ${ratio} there`,
      { hint: "choose another target, or let rows be inverted (--by inverting)" },
    );
  }
  const order = shuffle(candidates, seededDraw(seed));
  let excess = start;
  let best = { excess: Math.abs(start), count: 0 };
  order.forEach((i, count) => {
    excess -= own[i]!;
    if (Math.abs(excess) < best.excess) best = { excess: Math.abs(excess), count: count + 1 };
  });
  const kept = rows.map(() => true);
  for (const i of order.slice(0, best.count)) kept[i] = false;
  return kept;
}
