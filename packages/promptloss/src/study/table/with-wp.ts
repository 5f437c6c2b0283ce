// The column w_p beside a column of prompt loss weights, so that a formula may speak of either.
import { type Row, TableError, wpOfPlw } from "../../statistics/index.ts";

/**
 * Adds `wp` to rows that have `plw` and no `wp`; others come back as they are. Missing weights stay missing.
 * @throws {TableError} for a weight that is no number of 0 or more
 */
export function withWp(rows: readonly Row[]): readonly Row[] {
  if (rows.some((row) => "wp" in row) || !rows.some((row) => "plw" in row)) return rows;
  return rows.map((row, i) => {
    const { plw } = row;
    if (plw === undefined || plw === null || plw === "" || plw === "NA") return { ...row, wp: null };
    const weight = Number(plw);
    if (!(weight >= 0))
      throw new TableError(`row ${i + 1}: plw is ${plw}, no prompt loss weight`, { row: i, column: "plw" });
    return { ...row, wp: wpOfPlw(weight) };
  });
}
