// Which rows to invert: all with a long completion, or as many as bring the whole to a generation ratio. Pure and
// deterministic for a seed.
import { seededDraw, shuffle } from "../data/packing/random.ts";
import { PromptlossError } from "../errors.ts";

/** Tokens of a row's prompt (instruction and input) and completion. */
export interface Sides {
  readonly prompt: number;
  readonly completion: number;
}

/** A row as it is and as it would be. */
export interface Candidate {
  readonly before: Sides;
  readonly after: Sides;
}

export interface ChooseOptions {
  /** Leave rows whose own ratio is below 1 as they are. */
  readonly onlyLong: boolean;
  /** The generation ratio (ratio of means) that the whole is to reach; all candidates are inverted where left out. */
  readonly targetRatio?: number | undefined;
  readonly seed: number;
}

/** The ratio of mean lengths; NaN without prompt tokens. */
export function ratioOf(rows: readonly Sides[]): number {
  const total = (side: keyof Sides): number => rows.reduce((sum, row) => sum + row[side], 0);
  return total("completion") / total("prompt");
}

/**
 * The rows to invert, one flag a row. With a target, rows are taken in random order until the ratio is as near to the
 * target as inverting one row more or less can bring it.
 * @throws {PromptlossError} where the target lies outside what inverting can reach
 */
export function chooseRows(rows: readonly Candidate[], options: ChooseOptions): boolean[] {
  const { onlyLong, targetRatio, seed } = options;
  const chosen = rows.map(() => false);
  const candidates = rows.flatMap(({ before }, i) =>
    !onlyLong || before.completion >= before.prompt ? [i] : [],
  );
  if (targetRatio === undefined) {
    for (const i of candidates) chosen[i] = true;
    return chosen;
  }
  const start = ratioOf(rows.map(({ before }) => before));
  const candidate = new Set(candidates);
  const end = ratioOf(rows.map(({ before, after }, i) => (candidate.has(i) ? after : before)));
  checkReach(targetRatio, start, end);
  return invertToward(rows, shuffle([...candidates], seededDraw(seed)), targetRatio, chosen);
}

/** @throws {PromptlossError} for what is no ratio */
export function checkTarget(target: number): void {
  if (!(target > 0 && Number.isFinite(target)))
    throw new PromptlossError(`the target ratio must be a positive number, not ${target}`);
}

function checkReach(target: number, start: number, end: number): void {
  checkTarget(target);
  if (target > Math.max(start, end) || target < Math.min(start, end))
    throw new PromptlossError(
      `inverting can bring the generation ratio from ${start.toFixed(3)} to ${end.toFixed(3)}, not to ${target}`,
      { hint: "choose a target between the two, or let rows be left out in place (--by sampling)" },
    );
}

function invertToward(
  rows: readonly Candidate[],
  order: readonly number[],
  target: number,
  chosen: boolean[],
): boolean[] {
  let prompt = rows.reduce((sum, { before }) => sum + before.prompt, 0);
  let completion = rows.reduce((sum, { before }) => sum + before.completion, 0);
  const distance = (p: number, c: number): number => Math.abs(Math.log(c / p / target));
  let best = { distance: distance(prompt, completion), count: 0 };
  order.forEach((i, count) => {
    const { before, after } = rows[i]!;
    prompt += after.prompt - before.prompt;
    completion += after.completion - before.completion;
    const here = distance(prompt, completion);
    if (here < best.distance) best = { distance: here, count: count + 1 };
  });
  for (const i of order.slice(0, best.count)) chosen[i] = true;
  return chosen;
}
