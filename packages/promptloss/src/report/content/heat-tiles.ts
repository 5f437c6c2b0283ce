// The tiles of heatmaps: benchmarks by weight, and cells by weight.

import { counted } from "../../counted.ts";
import { short, trimmed } from "../../statistics/numbers.ts";
import type { FactorValue, ResultRow } from "../../study/results/result-row.ts";
import type { Tile } from "../charts/heatmap.ts";
import type { ReportCell } from "./report-cells.ts";
import type { Series, StudyContent } from "./study-content.ts";
import { weightMeans } from "./weight-means.ts";

export interface Grid {
  readonly rows: readonly string[];
  readonly weights: readonly number[];
  readonly tiles: readonly Tile[];
  /** In words, for readers who don't see it. */
  readonly summary: string;
}

/** Standard errors below the best at which a tile has the palest shade. */
export const PALEST = 4;

/**
 * Means over a series' cells, shaded by how many standard errors of their difference they lie below their row's best: what
 * chance does is pale nowhere. Without a standard error, by their place between the row's worst and best.
 */
export function benchmarkTiles({ benchmarks }: StudyContent, series: Series): Grid {
  const shown = benchmarks.flatMap(({ name, rows, higherIsBetter }) => {
    const { means } = weightMeans(
      rows.filter(({ cell }) => series.cells.has(cell)),
      0.95,
    );
    return means.length === 0 ? [] : [{ name, means, higherIsBetter }];
  });
  const weights = sortedWeights(shown.flatMap(({ means }) => means.map(({ plw }) => plw)));
  const tiles = shown.flatMap(({ name, means, higherIsBetter }, row) => {
    const sign = higherIsBetter ? 1 : -1;
    const best = means.reduce((top, each) => (sign * each.mean > sign * top.mean ? each : top));
    const widest = Math.max(...means.map(({ mean }) => Math.abs(best.mean - mean)));
    return means.map(({ plw, mean, standardError, count }): Tile => {
      const below = Math.abs(best.mean - mean);
      const error = Math.hypot(standardError ?? 0, best.standardError ?? 0);
      const share = error > 0 ? below / error / PALEST : widest > 0 ? below / widest : 0;
      const errors =
        error > 0 && below > 0 ? `, ${trimmed(below / error, 2)} standard errors below the best` : "";
      return {
        ...{ row, column: weights.indexOf(plw), text: short(mean) },
        share: 1 - Math.min(1, share),
        tip: `${name}, PLW ${trimmed(plw, 4)}: ${trimmed(mean, 4)} over ${count === 1 ? "one cell" : `${count} cells`}${errors}`,
      };
    });
  });
  const best = shown.map(({ name, means, higherIsBetter }) => {
    const sorted = [...means].sort((a, b) => (higherIsBetter ? b.mean - a.mean : a.mean - b.mean));
    return `${name} is best at PLW ${trimmed(sorted[0]!.plw, 4)} (${trimmed(sorted[0]!.mean, 4)})`;
  });
  return { rows: shown.map(({ name }) => name), weights, tiles, summary: `${best.join("; ")}.` };
}

const states: Readonly<Record<string, string>> = {
  "✗": "failed",
  "·": "not finished",
  "–": "no score that counts",
};

/** Each cell's mean score over its benchmarks; a row for each combination of the factors but the weight. */
export function cellTiles(content: StudyContent): Grid {
  const { results, fits, cells } = content;
  const weightFactors = weightFactorsOf(results.rows);
  const rowOf = (factors: Readonly<Record<string, FactorValue>>): string =>
    Object.entries(factors)
      .filter(([name]) => !weightFactors.has(name))
      .map(([name, value]) => (typeof value === "number" ? `${name} ${value}` : value))
      .join(", ") || "all cells";
  const scores = new Map<string, { result: ResultRow; values: number[] }>();
  for (const { taskGroup, rows } of fits.fits)
    if (taskGroup === undefined)
      for (const { result, score } of rows)
        scores.set(result.cell, { result, values: [...(scores.get(result.cell)?.values ?? []), score] });
  const placed = [
    ...[...scores.values()].map(({ result, values }) => ({
      ...{ name: rowOf(result.factors), plw: result.plw, cell: result.cell },
      value: values.reduce((sum, x) => sum + x, 0) / values.length,
      mark: "",
    })),
    ...cells
      .filter(({ id }) => !scores.has(id))
      .flatMap((cell) => {
        const plw = weightOf(cell, weightFactors);
        const mark = cell.state === "failed" ? "✗" : cell.state === "done" ? "–" : "·";
        return plw === undefined
          ? []
          : [{ name: rowOf(cell.levels), plw, cell: cell.id, value: undefined, mark }];
      }),
  ];
  const values = placed.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const shareOf = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : high > low ? (value - low) / (high - low) : 0.5;
  const weights = sortedWeights(placed.map(({ plw }) => plw));
  const rows = [...new Set(placed.map(({ name }) => name))];
  const tiles = placed.map(({ name, plw, cell, value, mark }): Tile => {
    const text = value === undefined ? mark : value.toFixed(2);
    const state = value === undefined ? states[mark] : text;
    return {
      ...{ row: rows.indexOf(name), column: weights.indexOf(plw), share: shareOf(value), text },
      tip: `${name}, PLW ${trimmed(plw, 4)}: ${state} (cell ${cell})`,
    };
  });
  const failed = placed.filter(({ mark }) => mark === "✗").length;
  const open = placed.filter(({ mark }) => mark === "·").length;
  return {
    ...{ rows, weights, tiles },
    summary: `${counted(rows.length, "row")}, ${counted(weights.length, "weight")}; ${failed} failed, ${open} not finished.`,
  };
}

function sortedWeights(weights: readonly number[]): number[] {
  return [...new Set(weights)].sort((a, b) => a - b);
}

/** Factors whose levels are the weight itself, whatever they are called. */
function weightFactorsOf(rows: readonly ResultRow[]): ReadonlySet<string> {
  const names = new Set(rows.flatMap(({ factors }) => Object.keys(factors)));
  const same = [...names].filter((name) =>
    rows.every(({ factors, plw }) => factors[name] !== undefined && Number(factors[name]) === plw),
  );
  return new Set(["plw", ...same]);
}

function weightOf({ levels }: ReportCell, factors: ReadonlySet<string>): number | undefined {
  for (const name of factors) {
    const plw = Number(levels[name]);
    if (levels[name] !== undefined && Number.isFinite(plw)) return plw;
  }
  return undefined;
}
