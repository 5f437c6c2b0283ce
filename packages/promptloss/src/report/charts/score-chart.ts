// Scores against w_p: means with intervals, the fitted curve with its band, the vertex with its interval. One color
// and mark a series.
import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import type { CurvePoint } from "../../statistics/index.ts";
import { GRID, triedAxis, valueAxis, wpAxis } from "./axes.ts";
import type { Drawing } from "./engine.ts";
import { band, errorBars, type Vertex, vertexMark } from "./marks.ts";
import { lookOf } from "./palette.ts";

export interface ChartPoint {
  readonly wp: number;
  readonly value: number;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
  readonly tip: string;
}

export interface ScoreSeries {
  /** The series' place in the page's order. */
  readonly slot: number;
  readonly points: readonly ChartPoint[];
  readonly curve: readonly CurvePoint[] | undefined;
  /** Whether a significant relation was found: a curve without one is drawn dashed and without a band's weight. */
  readonly significant: boolean;
  readonly vertex: Vertex | undefined;
}

export interface ScoreChart {
  readonly series: readonly ScoreSeries[];
  /** Of the value axis, with its unit. */
  readonly name: string;
  /** Of the values, where they can't leave it. */
  readonly range?: readonly [number, number] | undefined;
  readonly alt: string;
  /** As wide as the page, with the tried weights on its axis. */
  readonly large?: boolean;
}

type AnySeries = CustomSeriesOption | LineSeriesOption | ScatterSeriesOption;

/** Pixels that series at one weight stand apart. */
const DODGE = 7;

const LARGE = { width: 760, height: 360 };

export function scoreChart({ series, name, range, alt, large = false }: ScoreChart): Drawing {
  const drawn: AnySeries[] = [];
  const tips: (readonly string[] | undefined)[] = [];
  const [lowest, highest] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const [i, each] of series.entries()) {
    const look = lookOf(each.slot);
    const shift = (i - (series.length - 1) / 2) * DODGE;
    if (each.curve !== undefined) {
      const curve = bounded(each.curve, each.points);
      const area = curve.map(({ wp, lower, upper }) => ({ x: wp, lower, upper }));
      drawn.push(band(area, look), {
        type: "line",
        silent: true,
        showSymbol: false,
        z: 2,
        data: curve.map(({ wp, mean }) => [wp, mean]),
        lineStyle: { color: look.color, width: 2, type: each.significant ? "solid" : [5, 4] },
      });
    }
    const bars = each.points.flatMap(({ wp, lower, upper }) =>
      lower === undefined || upper === undefined
        ? []
        : [{ x: wp, lower: Math.max(lower, lowest), upper: Math.min(upper, highest) }],
    );
    drawn.push(errorBars(bars, look, shift));
    tips[drawn.length] = each.points.map(({ tip }) => tip);
    drawn.push({
      type: "scatter",
      symbol: look.symbol,
      symbolSize: 8,
      symbolOffset: [shift, 0],
      z: 3,
      clip: false,
      data: each.points.map(({ wp, value }) => [wp, value]),
      itemStyle: { color: look.color, opacity: 1, borderColor: "var(--page)", borderWidth: 1 },
      emphasis: { disabled: true },
    });
    if (each.vertex !== undefined) drawn.push(vertexMark(each.vertex, look));
  }
  const tried = [...new Set(series.flatMap(({ points }) => points.map(({ wp }) => wp)))].sort(
    (a, b) => a - b,
  );
  const xAxis = large ? triedAxis(tried, LARGE.width - GRID.left - GRID.right) : wpAxis(tried);
  return {
    option: { grid: GRID, xAxis, yAxis: valueAxis(name, range), series: drawn },
    ...(large ? LARGE : { width: 360, height: 270 }),
    ...{ alt, tips },
  };
}

/** A band far wider than the points would press them into a line. */
function bounded(curve: readonly CurvePoint[], points: readonly ChartPoint[]): CurvePoint[] {
  const ends = [
    ...points.flatMap(({ value, lower, upper }) => [value, lower ?? value, upper ?? value]),
    ...curve.map(({ mean }) => mean),
  ];
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const reach = (high - low) / 2 || Math.abs(high) / 10 || 1;
  const within = (value: number, mean: number): number =>
    Number.isFinite(value) ? Math.min(high + reach, Math.max(low - reach, value)) : mean;
  return curve.map((point) => ({
    ...point,
    lower: within(point.lower, point.mean),
    upper: within(point.upper, point.mean),
  }));
}
