// Grids of prompt loss weights: the paper's ten, and any number spaced evenly in w_p = PLW^0.30103.
import { plwOfWp } from "../../statistics/effect/plw.ts";

/** The ten levels of the paper (arXiv 2401.13586). */
export const PAPER_WEIGHTS = [0, 5e-4, 2.236e-3, 1e-2, 2.463e-2, 5e-2, 1e-1, 2.463e-1, 5e-1, 1] as const;

/** `points` weights from w_p `from` to `to`, to four digits. */
export function weightsByWp(points: number, from = 0, to = 1): number[] {
  return Array.from({ length: points }, (_, i) => {
    const wp = from + ((to - from) * i) / (points - 1);
    return Number(plwOfWp(wp).toPrecision(4));
  });
}
