// A probe against w_p: every cell as a small mark, and a line through the means of the weights.
import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import { GRID, valueAxis, wpAxis } from "./axes.ts";
import type { Drawing } from "./engine.ts";
import { errorBars } from "./marks.ts";
import { lookOf } from "./palette.ts";
import type { ChartPoint } from "./score-chart.ts";

export interface ProbeSeries {
  readonly slot: number;
  readonly cells: readonly { readonly wp: number; readonly value: number; readonly tip: string }[];
  readonly means: readonly ChartPoint[];
}

export interface ProbeChart {
  readonly series: readonly ProbeSeries[];
  /** Of the value axis: its unit. */
  readonly name: string;
  readonly alt: string;
}

export function probeChart({ series, name, alt }: ProbeChart): Drawing {
  const drawn: (CustomSeriesOption | LineSeriesOption | ScatterSeriesOption)[] = [];
  const tips: (readonly string[] | undefined)[] = [];
  for (const { slot, cells, means } of series) {
    const look = lookOf(slot);
    const common = { emphasis: { disabled: true }, symbol: look.symbol, clip: false } as const;
    tips[drawn.length] = cells.map(({ tip }) => tip);
    drawn.push({
      ...{ ...common, type: "scatter", z: 2, symbolSize: 5 },
      data: cells.map(({ wp, value }) => [wp, value]),
      itemStyle: { color: look.color, opacity: 0.4 },
    });
    const bars = means.flatMap(({ wp, lower, upper }) =>
      lower === undefined || upper === undefined ? [] : [{ x: wp, lower, upper }],
    );
    drawn.push(errorBars(bars, look, 0), {
      type: "line",
      silent: true,
      showSymbol: false,
      z: 3,
      data: means.map(({ wp, value }) => [wp, value]),
      lineStyle: { color: look.color, width: 1.5 },
    });
    tips[drawn.length] = means.map(({ tip }) => tip);
    drawn.push({
      ...{ ...common, type: "scatter", z: 4, symbolSize: 8 },
      data: means.map(({ wp, value }) => [wp, value]),
      itemStyle: { color: look.color, opacity: 1, borderColor: "var(--page)", borderWidth: 1 },
    });
  }
  return {
    option: { grid: GRID, xAxis: wpAxis(), yAxis: valueAxis(name), series: drawn },
    ...{ width: 360, height: 250, alt, tips },
  };
}
