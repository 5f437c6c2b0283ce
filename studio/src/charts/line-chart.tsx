// Lines over steps, or over what the reader chooses: a faint line of the values and a strong one of their moving average,
// or a band from least to highest where a point stands for many steps. Drag to zoom in, double-click to see all.
import { useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { count, trimmed } from "../format.ts";
import { Chart } from "./chart.tsx";
import { colors } from "./colors.ts";
import { zoomable } from "./drag.ts";
import type { EChartsCoreOption } from "./engine.ts";
import type { Range } from "./range.ts";
import { smoothed } from "./smooth.ts";
import { tooltipOf } from "./tooltip.ts";

type Values = readonly (number | null)[];

export interface Line {
  readonly name: string;
  /** As canvases take it. */
  readonly color: string;
  readonly x: Values;
  readonly y: Values;
  /** The least and the highest value behind each point. */
  readonly band?: { readonly low: Values; readonly high: Values } | undefined;
  /** Points rather than a line of averages: values that are few. */
  readonly marked?: boolean;
  readonly dashed?: boolean;
}

export interface LineChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly xName: string;
  readonly xText?: (x: number) => string;
  readonly yText?: (y: number) => string;
  readonly smoothing?: number;
  readonly logarithmic?: boolean;
  /** What of the x axis is shown; all where undefined. */
  readonly range?: Range | undefined;
  readonly onRange?: (range: Range | undefined) => void;
  readonly group?: string;
  readonly height?: number;
  /** Whether the chart names its lines. Default true. */
  readonly legend?: boolean;
}

function usualText(value: number): string {
  return trimmed(value, 4);
}

export function LineChart(props: LineChartProps) {
  const { title, lines, onRange, group, height, legend = true, yText = usualText } = props;
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  const shown = lines.filter(({ name }) => !hidden.value.has(name));
  const palette = useComputed(() => colors.value).value;
  const option = useMemo(
    () => optionOf({ ...props, lines: shown }),
    [lines, hidden.value, palette, props.smoothing, props.logarithmic, props.range, props.xName],
  );
  const toggle = (name: string): void => {
    const next = new Set(hidden.value);
    if (!next.delete(name)) next.add(name);
    hidden.value = next;
  };
  return (
    <figure class="figure">
      <figcaption>
        <h3>{title}</h3>
        {legend && lines.length > 1 && (
          <ul class="legend">
            {lines.map(({ name, color }) => (
              <li key={name}>
                <button type="button" aria-pressed={!hidden.value.has(name)} onClick={() => toggle(name)}>
                  <i style={{ background: color }} />
                  {name}
                </button>
              </li>
            ))}
          </ul>
        )}
      </figcaption>
      <Chart
        option={option}
        label={`${title}. ${lines.map((line) => inWords(line, yText)).join(" ")}`}
        {...(group !== undefined && { group })}
        {...(height !== undefined && { height })}
        onReady={(chart) => onRange && zoomable(chart, onRange)}
      />
    </figure>
  );
}

/** The first, the last and the least value of a line. */
function inWords({ name, y }: Line, text: (y: number) => string): string {
  const values = y.filter((value) => value !== null);
  if (values.length === 0) return `${name}: no values yet.`;
  const least = values.reduce((a, b) => Math.min(a, b));
  return `${name}: ${count(values.length)} points, from ${text(values[0]!)} to ${text(values.at(-1)!)}, lowest ${text(least)}.`;
}

/** What ECharts tells of a value under the pointer. A series without a name is not told of. */
interface TooltipParams {
  readonly seriesName: string;
  readonly color: string;
  readonly value: readonly [number, number | null];
}

function optionOf({
  lines,
  xName,
  xText = count,
  yText = usualText,
  smoothing = 0,
  logarithmic = false,
  range,
}: LineChartProps): EChartsCoreOption {
  const { ink, muted, grid, line, panel } = colors.value;
  const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: muted, hideOverlap: true } };
  return {
    textStyle: { fontFamily: "system-ui, sans-serif", fontSize: 12 },
    grid: {
      left: 8,
      right: 16,
      top: 12,
      bottom: 8,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    xAxis: {
      ...axis,
      type: "value",
      min: range?.from ?? "dataMin",
      max: range?.to ?? "dataMax",
      axisLabel: { ...axis.axisLabel, formatter: xText },
      splitLine: { show: false },
    },
    yAxis: {
      ...axis,
      type: logarithmic ? "log" : "value",
      scale: true,
      axisLine: { show: false },
      axisLabel: { ...axis.axisLabel, formatter: yText },
      splitLine: { lineStyle: { color: grid } },
    },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: panel,
      borderColor: line,
      textStyle: { color: ink, fontSize: 12 },
      formatter: (items: readonly TooltipParams[]) =>
        tooltipOf(
          `${xName} ${xText(items[0]!.value[0])}`,
          items.flatMap(({ seriesName: name, color, value: [, value] }) =>
            name === "" || value === null ? [] : [{ name, color, value }],
          ),
          yText,
        ),
    },
    series: lines.flatMap((each) =>
      seriesOf(each, each.marked ? 0 : smoothing, { logarithmic, alone: lines.length <= MANY }),
    ),
  };
}

/** More lines than these are drawn without the values behind their averages. */
export const MANY = 12;

function seriesOf(
  each: Line,
  smoothing: number,
  { logarithmic, alone }: { readonly logarithmic: boolean; readonly alone: boolean },
): object[] {
  const { name, color, x, y, band, marked = false, dashed = false } = each;
  const drawable = (value: number | null): number | null =>
    value === null || (logarithmic && value <= 0) ? null : value;
  const points = (values: Values): (number | null)[][] => values.map((value, i) => [x[i]!, drawable(value)]);
  const line = {
    ...{ type: "line", name, connectNulls: true, symbol: marked ? "circle" : "none", symbolSize: 5 },
    itemStyle: { color },
    lineStyle: { color, width: 2, type: dashed ? "dashed" : "solid" },
    emphasis: { disabled: true },
    z: 3,
    data: points(smoothed(y, smoothing)),
  };
  const silent = { silent: true, showSymbol: false, z: 1 };
  if (smoothing > 0 && alone)
    return [
      { ...line, ...silent, name: "", lineStyle: { color, width: 1, opacity: 0.3 }, data: points(y) },
      line,
    ];
  if (band === undefined) return [line];
  return [bandOf(x, band, color, drawable), line];
}

/** A closed area from the least to the highest values. */
function bandOf(
  x: Values,
  { low, high }: NonNullable<Line["band"]>,
  color: string,
  drawable: (value: number | null) => number | null,
): object {
  type Api = { coord(point: readonly number[]): number[] };
  const outline = [
    ...x.map((at, i) => [at!, drawable(high[i]!)] as const),
    ...x.map((at, i) => [at!, drawable(low[i]!)] as const).reverse(),
  ].filter((point): point is readonly [number, number] => point[1] !== null);
  return {
    type: "custom",
    name: "",
    silent: true,
    clip: true,
    tooltip: { show: false },
    z: 1,
    data: [0],
    renderItem: (_params: unknown, api: Api) => ({
      type: "polygon",
      shape: { points: outline.map((point) => api.coord(point)) },
      style: { fill: color, opacity: 0.15 },
    }),
  };
}
