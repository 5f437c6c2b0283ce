// Residuals of a model against w_p: what the curve leaves, which should look alike at all weights.
import type { LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import { GRID, valueAxis, wpAxis } from "./axes.ts";
import type { Drawing } from "./engine.ts";
import { colors, lookOf } from "./palette.ts";

export interface ResidualSeries {
  readonly slot: number;
  readonly points: readonly { readonly wp: number; readonly residual: number; readonly tip: string }[];
  /** Means of residuals by weight, joined. */
  readonly means: readonly { readonly wp: number; readonly residual: number }[];
}

export function residualChart({
  series,
  alt,
}: {
  readonly series: readonly ResidualSeries[];
  readonly alt: string;
}): Drawing {
  const zero: LineSeriesOption = {
    ...{ type: "line", silent: true, showSymbol: false, z: 1 },
    data: [
      [0, 0],
      [1, 0],
    ],
    lineStyle: { color: colors.line, width: 1 },
  };
  const drawn: (LineSeriesOption | ScatterSeriesOption)[] = [zero];
  const tips: (readonly string[] | undefined)[] = [undefined];
  for (const { slot, points, means } of series) {
    const look = lookOf(slot);
    tips[drawn.length] = points.map(({ tip }) => tip);
    drawn.push(
      {
        ...{ type: "scatter", symbol: look.symbol, symbolSize: 5, clip: false, z: 2 },
        data: points.map(({ wp, residual }) => [wp, residual]),
        itemStyle: { color: look.color, opacity: 0.45 },
        emphasis: { disabled: true },
      },
      {
        ...{ type: "line", silent: true, showSymbol: false, z: 3 },
        data: means.map(({ wp, residual }) => [wp, residual]),
        lineStyle: { color: look.color, width: 1.5 },
      },
    );
  }
  return {
    option: {
      grid: GRID,
      xAxis: wpAxis(),
      yAxis: valueAxis("residual, in standard deviations"),
      series: drawn,
    },
    ...{ width: 360, height: 270, alt, tips },
  };
}
