// A fitted curve to draw: the mean score over w_p with a pointwise interval, for a typical group or for named ones.
import type { Row } from "../design/table.ts";
import { StatisticsError } from "../errors.ts";
import type { MixedModelFit } from "../mixed/fit.ts";
import { predict } from "../mixed/predict.ts";
import { standardNormalQuantile } from "../special.ts";
import { baseRow } from "./base-row.ts";
import { plwOfWp } from "./plw.ts";

export interface CurveOptions {
  /** The column that holds w_p. Default "wp". */
  variable?: string;
  /** Other columns, groups among them: `{ benchmark: "piqa" }` adds that benchmark's conditional mode. */
  at?: Row;
  /** Number of points from 0 to 1. Default 101. */
  points?: number;
  /** The points themselves, in place of their number. */
  wps?: readonly number[];
  /** Of the interval. Default 0.95. */
  level?: number;
}

export interface CurvePoint {
  wp: number;
  plw: number;
  /** On the scale of the score. */
  mean: number;
  /** Of the mean by the fixed effects' uncertainty; a conditional mode counts as known. */
  lower: number;
  upper: number;
}

/** The fitted curve. Numeric columns not in `at` are at their means, factors at their base level, groups typical. */
export function effectCurve(fit: MixedModelFit, options: CurveOptions = {}): CurvePoint[] {
  const { variable = "wp", at = {}, points = 101, level = 0.95 } = options;
  if (!Number.isInteger(points) || points < 2)
    throw new StatisticsError(`points must be a whole number from 2, not ${points}`);
  const { wps = Array.from({ length: points }, (_, i) => i / (points - 1)) } = options;
  const base = baseRow(fit, at);
  // Only the groups that are asked for: an empty label is one that no fit has seen.
  const { random } = fit.state.frame.formula;
  for (const { groupColumns } of random) {
    for (const node of groupColumns)
      if (node.type === "name" && at[node.name] === undefined) base[node.name] = "";
  }
  const rows = wps.map((wp) => ({ ...base, [variable]: wp }));
  const reach = standardNormalQuantile((1 + level) / 2);
  const { family } = fit.state;
  return predict(fit, rows, { conditional: true }).map(({ linear, mean, standardError }, i) => {
    const wp = wps[i]!;
    const lower = family.mean(linear - reach * standardError);
    return { wp, plw: plwOfWp(wp), mean, lower, upper: family.mean(linear + reach * standardError) };
  });
}
