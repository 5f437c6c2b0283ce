// Which rows are held out of training. Pure.
import { seededDraw, shuffle } from "../data/packing/random.ts";
import { type RowSet, RowSubset } from "../data/row-subset.ts";
import type { HeldOutPlan } from "./data-plan.ts";
import { DataPlanError } from "./errors.ts";

export interface HeldOutParts {
  readonly kept: RowSet;
  readonly heldOut: RowSet;
}

/**
 * Parts rows at random into those that stay and those that are held out; the same for a seed. Both keep their order.
 * @throws DataPlanError where no row would be left to train on
 */
export function holdOut(
  rows: RowSet,
  asked: Exclude<HeldOutPlan, { sources: unknown }>,
  seed: number,
): HeldOutParts {
  const count = heldOutCount(asked, rows.length);
  const order = shuffle(
    Int32Array.from({ length: rows.length }, (_, index) => index),
    seededDraw(seed),
  );
  return {
    heldOut: new RowSubset(rows, order.slice(0, count).sort()),
    kept: new RowSubset(rows, order.slice(count).sort()),
  };
}

function heldOutCount(asked: Exclude<HeldOutPlan, { sources: unknown }>, all: number): number {
  const count = "rows" in asked ? asked.rows : Math.max(1, Math.round(asked.fraction * all));
  if (count >= all)
    throw new DataPlanError(`evaluation: holding out ${count} of ${all} rows leaves none to train on`);
  return count;
}
