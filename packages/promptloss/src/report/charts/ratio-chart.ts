// Best weights against the generation ratio: the vertex of each ratio's own model with its interval, and the ridge of
// the response surface with its band.
import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import { GRID, ratioAxis, weightAxis } from "./axes.ts";
import type { Drawing } from "./engine.ts";
import { type Bar, band, errorBars } from "./marks.ts";
import { colors, lookOf } from "./palette.ts";

export interface RatioPoint {
  /** Of the series at this ratio. */
  readonly slot: number;
  readonly ratio: number;
  /** The best w_p. */
  readonly wp: number;
  /** Of w_p; none for a best value at an end of the range. */
  readonly interval: { readonly lower: number; readonly upper: number } | undefined;
  readonly tip: string;
}

export interface RidgePoint {
  readonly ratio: number;
  readonly wp: number;
  readonly lower: number;
  readonly upper: number;
  /** Whether the ratios on either side have a best weight inside of their own. */
  readonly settled: boolean;
}

export interface RatioChart {
  readonly points: readonly RatioPoint[];
  readonly ridge: readonly RidgePoint[];
  /** All that the study has, with or without a best weight. */
  readonly ratios: readonly number[];
  readonly alt: string;
}

export function ratioChart({ points, ridge, ratios, alt }: RatioChart): Drawing {
  const muted = { ...lookOf(0), color: colors.muted };
  const area = ridge.map(({ ratio, lower, upper }): Bar => ({ x: Math.log2(ratio), lower, upper }));
  const line: LineSeriesOption = {
    ...{ type: "line", silent: true, showSymbol: false, z: 2 },
    data: ridge.map(({ ratio, wp, settled }) => [Math.log2(ratio), settled ? wp : null]),
    lineStyle: { color: colors.muted, width: 2 },
  };
  const drawn: (CustomSeriesOption | LineSeriesOption | ScatterSeriesOption)[] =
    ridge.length > 0 ? [band(area, muted), line] : [];
  const tips: (readonly string[] | undefined)[] = [];
  for (const { slot, ratio, wp, interval, tip } of points) {
    const look = lookOf(slot);
    const x = Math.log2(ratio);
    if (interval !== undefined) {
      const { lower, upper } = interval;
      drawn.push(errorBars([{ x, lower: Math.max(0, lower), upper: Math.min(1, upper) }], look, 0));
    }
    tips[drawn.length] = [tip];
    drawn.push({
      ...{ type: "scatter", symbol: look.symbol, symbolSize: 9, z: 4, clip: false, data: [[x, wp]] },
      // A best value at an end of the range is hollow: it is no vertex.
      itemStyle:
        interval === undefined
          ? { color: colors.page, opacity: 1, borderColor: look.color, borderWidth: 1.75 }
          : { color: look.color, opacity: 1, borderColor: colors.page, borderWidth: 1 },
      emphasis: { disabled: true },
    });
  }
  const grid = { ...GRID, bottom: 46 };
  return {
    option: { grid, xAxis: ratioAxis(ratios), yAxis: weightAxis(), series: drawn },
    ...{ width: 360, height: 260, alt, tips },
  };
}
