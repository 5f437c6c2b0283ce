// Which rows are held out of training, and what a run says of that. Pure.
import { counted } from "../counted.ts";
import { seededDraw, shuffle } from "../data/packing/random.ts";
import { type RowSet, RowSubset } from "../data/row-subset.ts";
import type { DataSource } from "../data/rows/index.ts";
import type { HeldOutPlan } from "./data-plan.ts";
import { DataPlanError } from "./errors.ts";
import { countShared, groupRows } from "./row-groups.ts";

export interface HeldOutParts {
  readonly kept: RowSet;
  readonly heldOut: RowSet;
  /** How rows were held out, for a run's notes. */
  readonly note: string;
}

type Drawn = Exclude<HeldOutPlan, { sources: unknown }>;

const SHARED = "an input, a prompt or a group";

/**
 * Parts rows at random into those that stay and those that are held out; the same for a seed. Both keep their order.
 * Groups stay whole: they are taken in a random order, one that is larger than what is still wanted is passed over.
 * @throws {DataPlanError} where no row would be left to train on, and where every group is too large
 */
export function holdOut(rows: RowSet, asked: Drawn, seed: number): HeldOutParts {
  const count = heldOutCount(asked, rows.length);
  const groups =
    asked.unit === "row" ? Array.from(rows.lengths, (_, row) => Int32Array.of(row)) : groupRows(rows);
  const chosen: number[] = [];
  let taken = 0;
  for (const group of shuffle([...groups], seededDraw(seed)))
    if (chosen.length + group.length <= count) {
      for (const row of group) chosen.push(row);
      taken++;
    }
  if (chosen.length === 0) {
    const smallest = groups.reduce((least, { length }) => Math.min(least, length), rows.length);
    throw new DataPlanError(
      `evaluation: rows that share ${SHARED} are held out together, and each group has ${smallest} rows or more, where ${count} may be held out`,
      {
        hint: `raise evaluation.${"rows" in asked ? "rows" : "fraction"}, name held-out data (evaluation.data), or set evaluation.unit: row`,
      },
    );
  }
  const isHeldOut = new Set(chosen);
  const kept = Int32Array.from(rows.lengths.keys()).filter((row) => !isHeldOut.has(row));
  return {
    heldOut: new RowSubset(rows, Int32Array.from(chosen).sort()),
    kept: new RowSubset(rows, kept),
    note: drawnNote({
      asked,
      count,
      rows: chosen.length,
      of: rows.length,
      taken,
      groups: groups.length,
      seed,
    }),
  };
}

function drawnNote(found: {
  readonly asked: Drawn;
  readonly count: number;
  readonly rows: number;
  readonly of: number;
  readonly taken: number;
  readonly groups: number;
  readonly seed: number;
}): string {
  const { asked, count, rows, of, taken, groups, seed } = found;
  const fewer = rows < count ? ` (${counted(count, "row")} asked for)` : "";
  const drawn = `held out: ${counted(rows, "row")} of ${of.toLocaleString("en-US")}${fewer}, drawn by seed ${seed}`;
  if (asked.unit === "row") return `${drawn}, row by row, whatever rows share`;
  return `${drawn}: ${taken.toLocaleString("en-US")} of ${counted(groups, "group")} of rows that share ${SHARED}`;
}

/** Of held-out data that a recipe names: which they are, and whether rows that are trained on are like them. */
export function heldOutNote(sources: readonly DataSource[], heldOut: RowSet, trained: RowSet): string {
  const names = sources.map(({ path }) => path).join(", ");
  const shared = countShared(heldOut, trained);
  const overlap =
    shared === 0
      ? `none of them shares ${SHARED} with the training rows`
      : `${shared.toLocaleString("en-US")} of them ${shared === 1 ? "shares" : "share"} ${SHARED} with training rows, so that their loss is not that of unseen rows`;
  return `held out: ${counted(heldOut.length, "row")} of evaluation.data (${names}); ${overlap}`;
}

function heldOutCount(asked: Drawn, all: number): number {
  const count = "rows" in asked ? asked.rows : Math.max(1, Math.round(asked.fraction * all));
  if (count >= all)
    throw new DataPlanError(`evaluation: holding out ${count} of ${all} rows leaves none to train on`);
  return count;
}
