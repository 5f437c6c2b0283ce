// The charts that runs are compared on: one measure each, a line for each run.
import type { RunCard, SeriesColumn } from "promptloss/studio";
import type { Series } from "../api/series.ts";
import type { GridChart } from "../charts/chart-grid.tsx";
import type { Line } from "../charts/line-chart.tsx";
import { fourDigits, percent, rate, short } from "../format.ts";
import { lineOf } from "../runs/run-charts.ts";
import type { Look } from "./looks.ts";

interface Measure extends Omit<GridChart, "lines"> {
  readonly column: SeriesColumn;
  readonly of: keyof Series;
}

const MEASURES: readonly Measure[] = [
  { title: "Training loss", column: "loss", of: "steps", yText: fourDigits, logarithmic: true },
  { title: "Held-out loss", column: "loss", of: "evaluations", yText: fourDigits, logarithmic: true },
  {
    title: "Held-out loss of completions",
    column: "completionLoss",
    of: "evaluations",
    yText: fourDigits,
    logarithmic: true,
  },
  {
    title: "Held-out loss of prompts",
    column: "promptLoss",
    of: "evaluations",
    yText: fourDigits,
    logarithmic: true,
  },
  {
    title: "Training loss of completions",
    column: "completionLoss",
    of: "steps",
    yText: fourDigits,
    logarithmic: true,
  },
  {
    title: "Training loss of prompts",
    column: "promptLoss",
    of: "steps",
    yText: fourDigits,
    logarithmic: true,
  },
  {
    title: "Completion tokens predicted right, held out",
    column: "completionAccuracy",
    of: "evaluations",
    yText: percent,
  },
  { title: "Gradient norm", column: "gradientNorm", of: "steps", yText: fourDigits, logarithmic: true },
  { title: "Learning rate", column: "learningRate", of: "steps", yText: rate, logarithmic: true },
  { title: "Tokens per second", column: "tokensPerSecond", of: "steps", yText: short },
];

export function compareCharts(
  runs: readonly RunCard[],
  series: ReadonlyMap<string, Series>,
  looks: ReadonlyMap<string, Look>,
  x: SeriesColumn,
): GridChart[] {
  return MEASURES.map(({ column, of, ...chart }) => ({
    ...chart,
    lines: runs.flatMap(({ id, name }): Line[] => {
      const own = series.get(id);
      const line = own && lineOf(own, of, column, x);
      // Bands of many runs would hide each other; so would the marks of many evaluations.
      return line === undefined ? [] : [{ name, ...looks.get(id)!, x: line.x, y: line.y, marked: false }];
    }),
  }));
}
