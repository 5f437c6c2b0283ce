// Where a fitted curve has its top, with nothing left out and without each task and block in turn.
import type { CustomSeriesOption, ScatterSeriesOption } from "echarts/charts";
import { wpAxis } from "./axes.ts";
import type { Drawing } from "./engine.ts";
import { fitted } from "./labels.ts";
import { colors, lookOf } from "./palette.ts";

export interface InfluenceRow {
  readonly name: string;
  readonly top: { readonly wp: number; readonly lower: number; readonly upper: number } | undefined;
  readonly tip: string;
}

const NAMES = 120;
const ROW = 20;
const FOOT = 56;
const label = { color: colors.muted, fontSize: 11 };

export function influenceChart({
  slot,
  rows,
  alt,
}: {
  readonly slot: number;
  readonly rows: readonly InfluenceRow[];
  readonly alt: string;
}): Drawing {
  const look = lookOf(slot);
  const topped = rows.flatMap(({ top, tip }, at) => (top === undefined ? [] : [{ ...top, at, tip }]));
  const bars: CustomSeriesOption = {
    ...{ type: "custom", silent: true, z: 2, encode: { x: [0, 1], y: 2 } },
    data: topped.map(({ lower, upper, at }) => [lower, upper, at]),
    renderItem: (_params, api) => {
      const [from, y] = api.coord([api.value(0), api.value(2)]) as [number, number];
      const [to] = api.coord([api.value(1), api.value(2)]) as [number, number];
      const shape = { x1: from, y1: y, x2: to, y2: y };
      return { type: "line", shape, style: { stroke: look.color, lineWidth: 3, opacity: 0.4 } };
    },
  };
  const points: ScatterSeriesOption = {
    ...{ type: "scatter", symbol: look.symbol, symbolSize: 8, clip: false, z: 3 },
    data: topped.map(({ wp, at }) => [wp, at]),
    itemStyle: { color: look.color, opacity: 1 },
    emphasis: { disabled: true },
  };
  return {
    option: {
      grid: { left: NAMES + 8, right: 16, top: 8, bottom: FOOT },
      xAxis: { ...wpAxis(), name: "top of the curve: w_p, and below it PLW" },
      yAxis: {
        ...{ type: "category", inverse: true, data: rows.map(({ name }) => fitted(name, NAMES)) },
        axisLabel: { ...label, color: colors.ink, interval: 0 },
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { show: true, lineStyle: { color: colors.grid } },
      },
      series: [bars, points],
    },
    ...{ width: 360, height: 8 + FOOT + ROW * rows.length, alt },
    tips: [undefined, topped.map(({ tip }) => tip)],
  };
}
