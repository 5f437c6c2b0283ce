// Marks that the library has no series for: error bars, a band around a curve, a vertex with its interval.
import type { CustomSeriesOption } from "echarts/charts";
import type { Look } from "./palette.ts";

/** An interval of values at a place on the axis. */
export interface Bar {
  readonly x: number;
  readonly lower: number;
  readonly upper: number;
}

const CAP = 3;

/** @param shift pixels to the right, for bars of several series at one weight */
export function errorBars(bars: readonly Bar[], { color }: Look, shift: number): CustomSeriesOption {
  return {
    type: "custom",
    silent: true,
    z: 3,
    encode: { x: 0, y: [1, 2] },
    data: bars.map(({ x, lower, upper }) => [x, lower, upper]),
    renderItem: (_params, api) => {
      const [x, bottom] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [, top] = api.coord([api.value(0), api.value(2)]) as [number, number];
      const at = x + shift;
      const d =
        `M${at} ${bottom}L${at} ${top}` +
        `M${at - CAP} ${bottom}L${at + CAP} ${bottom}M${at - CAP} ${top}L${at + CAP} ${top}`;
      return {
        type: "path",
        shape: { pathData: d },
        style: { stroke: color, fill: "none", lineWidth: 1.25 },
      };
    },
  };
}

export function band(curve: readonly Bar[], { color }: Look): CustomSeriesOption {
  return {
    type: "custom",
    silent: true,
    clip: true,
    z: 1,
    encode: { x: 0, y: [1, 2] },
    data: curve.map(({ x, lower, upper }) => [x, lower, upper]),
    renderItem: (params, api) => {
      // One polygon for all points, with the first.
      if (params.dataIndex !== 0) return { type: "group", children: [] };
      const along = (edge: "lower" | "upper") => curve.map((point) => api.coord([point.x, point[edge]]));
      return {
        type: "polygon",
        shape: { points: [...along("upper"), ...along("lower").reverse()] },
        style: { fill: color, opacity: 0.14 },
      };
    },
  };
}

export interface Vertex {
  readonly wp: number;
  /** Of the curve there. */
  readonly value: number;
  /** Of w_p; may reach beyond [0, 1]. */
  readonly lower: number;
  readonly upper: number;
}

/** A dashed line down from the curve, and at the foot of the chart the interval. */
export function vertexMark({ wp, value, lower, upper }: Vertex, { color }: Look): CustomSeriesOption {
  return {
    type: "custom",
    silent: true,
    z: 4,
    encode: { x: [0, 2, 3], y: 1 },
    data: [[wp, value, Math.max(0, lower), Math.min(1, upper)]],
    renderItem: (params, api) => {
      const frame = params.coordSys as unknown as { y: number; height: number };
      const foot = frame.y + frame.height;
      const [x, y] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [from] = api.coord([api.value(2), api.value(1)]) as [number, number];
      const [to] = api.coord([api.value(3), api.value(1)]) as [number, number];
      return {
        type: "group",
        children: [
          {
            type: "line",
            shape: { x1: x, y1: y, x2: x, y2: foot },
            style: { stroke: color, lineWidth: 1, lineDash: [3, 3] },
          },
          {
            type: "line",
            shape: { x1: from, y1: foot - 2, x2: to, y2: foot - 2 },
            style: { stroke: color, lineWidth: 4, opacity: 0.55 },
          },
          {
            type: "path",
            shape: { pathData: `M${x} ${y - 6}L${x + 5} ${y}L${x} ${y + 6}L${x - 5} ${y}Z` },
            style: { fill: "var(--page)", stroke: color, lineWidth: 1.75 },
          },
        ],
      };
    },
  };
}
