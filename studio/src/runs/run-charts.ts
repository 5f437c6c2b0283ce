// Which charts a run has, and which columns of its series are in each.
import type { SeriesColumn } from "promptloss/studio";
import type { Series, Table } from "../api/series.ts";
import type { GridChart } from "../charts/chart-grid.tsx";
import { seriesColor } from "../charts/colors.ts";
import type { Line } from "../charts/line-chart.tsx";
import { bytes, fourDigits, percent, rate, short } from "../format.ts";

interface ChartSpec extends Omit<GridChart, "lines"> {
  readonly lines: readonly {
    readonly name: string;
    readonly column: SeriesColumn;
    readonly slot: number;
    readonly of: keyof Series;
  }[];
}

/** The same part of a row has the same color everywhere. */
const SLOT = { whole: 0, prompt: 1, completion: 2, end: 3 } as const;

const RUN_CHARTS: readonly ChartSpec[] = [
  {
    title: "Loss",
    yText: fourDigits,
    logarithmic: true,
    lines: [
      { name: "training", column: "loss", slot: SLOT.whole, of: "steps" },
      { name: "held out", column: "loss", slot: SLOT.prompt, of: "evaluations" },
    ],
  },
  {
    title: "Loss by part, in training",
    yText: fourDigits,
    logarithmic: true,
    lines: [
      { name: "prompt", column: "promptLoss", slot: SLOT.prompt, of: "steps" },
      { name: "completion", column: "completionLoss", slot: SLOT.completion, of: "steps" },
      { name: "end", column: "endLoss", slot: SLOT.end, of: "steps" },
    ],
  },
  {
    title: "Loss by part, held out",
    yText: fourDigits,
    logarithmic: true,
    lines: [
      { name: "prompt", column: "promptLoss", slot: SLOT.prompt, of: "evaluations" },
      { name: "completion", column: "completionLoss", slot: SLOT.completion, of: "evaluations" },
      { name: "end", column: "endLoss", slot: SLOT.end, of: "evaluations" },
    ],
  },
  {
    title: "Tokens predicted right",
    yText: percent,
    lines: [
      { name: "prompt", column: "promptAccuracy", slot: SLOT.prompt, of: "steps" },
      { name: "completion", column: "completionAccuracy", slot: SLOT.completion, of: "steps" },
    ],
  },
  {
    title: "Learning rate",
    yText: rate,
    logarithmic: true,
    lines: [{ name: "learning rate", column: "learningRate", slot: SLOT.whole, of: "steps" }],
  },
  {
    title: "Gradient norm",
    yText: fourDigits,
    logarithmic: true,
    lines: [{ name: "gradient norm", column: "gradientNorm", slot: SLOT.whole, of: "steps" }],
  },
  {
    title: "Penalty",
    yText: fourDigits,
    lines: [{ name: "penalty", column: "penalty", slot: SLOT.whole, of: "steps" }],
  },
  {
    title: "Tokens per second",
    yText: short,
    lines: [{ name: "tokens per second", column: "tokensPerSecond", slot: SLOT.whole, of: "steps" }],
  },
  {
    title: "Memory",
    yText: bytes,
    lines: [{ name: "resident memory", column: "memory", slot: SLOT.whole, of: "steps" }],
  },
];

/** A run's charts, with the lines that it has values for. */
export function runCharts(series: Series, x: SeriesColumn): GridChart[] {
  return RUN_CHARTS.map(({ lines, ...chart }) => ({ ...chart, lines: linesOf(lines, series, x) }));
}

function linesOf(lines: ChartSpec["lines"], series: Series, x: SeriesColumn): Line[] {
  return lines.flatMap(({ name, column, slot, of }) => {
    const line = lineOf(series, of, column, x);
    return line === undefined ? [] : [{ name, color: seriesColor(slot), ...line }];
  });
}

/** A column against another; undefined where the run has no value of it. */
export function lineOf(
  series: Series,
  of: keyof Series,
  column: SeriesColumn,
  x: SeriesColumn,
): Pick<Line, "x" | "y" | "band" | "marked"> | undefined {
  const table = series[of];
  const y = table.columns[column];
  if (y === undefined) return undefined;
  const { lossLow: low, lossHigh: high } = table.columns;
  const isWide = column === "loss" && table.width > 1 && low !== undefined && high !== undefined;
  return {
    ...{ x: xOf(table, series.steps, x), y, marked: of === "evaluations" },
    ...(isWide && { band: { low, high } }),
  };
}

/** Evaluations know their step alone: their time is that of the step before. */
function xOf(table: Table, steps: Table, x: SeriesColumn): readonly (number | null)[] {
  if (table === steps || x === "step") return table.columns[x] ?? [];
  const [at = [], times = []] = [steps.columns.step, steps.columns[x]];
  return (table.columns.step ?? []).map((step) => {
    const index = at.findLastIndex((each) => each! <= step!);
    return times[index] ?? null;
  });
}
