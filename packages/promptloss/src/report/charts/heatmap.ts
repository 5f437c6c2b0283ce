// A heatmap with the weights as columns: each tile a share of its scale as a color, and its number where there is
// room. Two sizes, of which a screen shows the one that it can hold.
import type { CustomSeriesOption } from "echarts/charts";
import { trimmed } from "../../statistics/numbers.ts";
import { type Drawing, FONT } from "./engine.ts";
import { CHARACTER, fitted } from "./labels.ts";
import { colors, heatOf } from "./palette.ts";

export interface Tile {
  readonly row: number;
  readonly column: number;
  /** Of the scale, 0 to 1; undefined for a tile that has a mark in place of a value. */
  readonly share: number | undefined;
  readonly text: string;
  readonly tip: string;
}

export interface Heatmap {
  readonly rows: readonly string[];
  readonly weights: readonly number[];
  readonly tiles: readonly Tile[];
  readonly alt: string;
}

export interface HeatmapSize {
  readonly width: number;
  /** The most that the rows' names get. */
  readonly names: number;
  /** Height of a tile, and the most of its width. */
  readonly tile: number;
  readonly widest: number;
  readonly numbers: boolean;
  /** The most columns whose names stand upright. */
  readonly upright: number;
}

export const broad: HeatmapSize = {
  width: 900,
  names: 280,
  tile: 30,
  widest: 90,
  numbers: true,
  upright: 12,
};
export const narrow: HeatmapSize = {
  width: 360,
  names: 170,
  tile: 26,
  widest: 50,
  numbers: false,
  upright: 5,
};

const label = { color: colors.muted, fontSize: 11 };
const GAP = 1;

export function heatmap({ rows, weights, tiles, alt }: Heatmap, size: HeatmapSize): Drawing {
  const turned = weights.length > size.upright;
  // Names that are turned need their length below the tiles.
  const foot = turned ? 82 : 46;
  const longest = Math.max(0, ...rows.map((name) => name.length));
  const names = Math.min(size.names, 20 + CHARACTER * longest);
  const column = Math.min(size.widest, (size.width - names - 12) / Math.max(1, weights.length));
  // The name of the weights' axis needs its room, too.
  const width = Math.round(names + 12 + Math.max(140, column * weights.length));
  const widest = Math.max(0, ...tiles.map(({ text }) => text.length));
  const fits = size.numbers && widest * CHARACTER < column;
  return {
    option: {
      grid: { left: names, right: 12, top: 6, bottom: foot },
      xAxis: {
        type: "category",
        data: weights.map((plw) => trimmed(plw, 4)),
        name: "prompt loss weight",
        nameLocation: "middle",
        nameGap: foot - 20,
        nameTextStyle: label,
        axisLabel: { ...label, interval: 0, rotate: turned ? 90 : 0 },
        axisLine: { show: false },
        axisTick: { show: false },
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: rows.map((name) => fitted(name, names - 16)),
        axisLabel: { ...label, color: colors.ink, interval: 0 },
        axisLine: { show: false },
        axisTick: { show: false },
      },
      series: [tileSeries(tiles, fits)],
    },
    ...{ width, height: 6 + foot + size.tile * Math.max(1, rows.length), alt },
    tips: [tiles.map(({ tip }) => tip)],
  };
}

function tileSeries(tiles: readonly Tile[], numbers: boolean): CustomSeriesOption {
  return {
    type: "custom",
    data: tiles.map(({ row, column }) => [column, row]),
    renderItem: (params, api) => {
      const { share, text } = tiles[params.dataIndex]!;
      const [x, y] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [width, height] = (api.size as (sides: number[]) => number[])([1, 1]) as [number, number];
      const paint = share === undefined ? undefined : heatOf(share);
      const d = rectangle(x - width / 2 + GAP, y - height / 2 + GAP, width - 2 * GAP, height - 2 * GAP);
      return {
        type: "path",
        emphasisDisabled: true,
        shape: { pathData: d },
        style: paint
          ? { fill: paint.fill }
          : { fill: "var(--panel)", stroke: colors.grid, lineWidth: 1, lineDash: [2, 2] },
        ...((numbers || share === undefined) && {
          textContent: {
            type: "text",
            style: { text, fill: paint?.ink ?? colors.muted, fontSize: 11, fontFamily: FONT },
          },
          textConfig: { position: "inside" },
        }),
      };
    },
  };
}

function rectangle(x: number, y: number, width: number, height: number): string {
  return `M${x} ${y}h${width}v${height}h${-width}Z`;
}
