// Figures of scores against w_p: for each group of tasks on the scale that is modelled, for each benchmark on its own.

import { type CurvePoint, effectCurve, StatisticsError } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/report/numbers.ts";
import type { StudyFit } from "../../study/results/fit-study.ts";
import { type Draw, figure } from "../charts/figure.ts";
import { type ChartPoint, type ScoreSeries, scoreChart } from "../charts/score-chart.ts";
import { rawScale } from "../content/raw-scale.ts";
import {
  type Benchmark,
  groupsOf,
  type Series,
  type StudyContent,
  seriesOf,
} from "../content/study-content.ts";
import { type WeightedValue, weightMeans } from "../content/weight-means.ts";
import { html, type Markup } from "../html/markup.ts";
import { counted, groupTitle, legend, sentence } from "./wording.ts";

export const scoreFigures = (content: StudyContent, draw: Draw): Markup => {
  const { fits, benchmarks, series } = content;
  const scopes = [...new Set(fits.fits.map(({ taskGroup }) => taskGroup))];
  const { level } = fits.settings;
  const percent = `${trimmed(100 * level, 4)} %`;
  if (benchmarks.length === 0) return html`<p>No cell has a score yet.</p>`;
  return html`
<p>Points are means over the cells of one weight, with ${percent} intervals; lines are fitted curves with pointwise
${percent} bands, solid where the relation is significant and dashed where it is not. A diamond with a dashed line is the
vertex of a significant curve; the thick line at the foot is its interval.</p>
${legend(series)}
<h3>By group of tasks</h3>
<p>On the scale that is modelled, mean over a cell's benchmarks.</p>
<div class="figures">${scopes.map((scope) => groupFigure(scope, content, draw))}</div>
${groupsOf(benchmarks).map(
  (group) => html`
<h3>${groupTitle(group)}, each benchmark</h3>
<div class="figures">${benchmarks
    .filter((benchmark) => benchmark.group === group)
    .map((benchmark) => benchmarkFigure(benchmark, content, draw))}</div>`,
)}`;
};

const groupFigure = (scope: StudyFit["taskGroup"], { fits, series }: StudyContent, draw: Draw): Markup => {
  const { level } = fits.settings;
  const parts = fits.fits
    .filter(({ taskGroup }) => taskGroup === scope)
    .flatMap((fit) => {
      const part = seriesOf(fit, series);
      return part === undefined ? [] : [{ fit, ...partOf(fit, part, cellMeans(fit), level, (x) => x) }];
    });
  const title = groupTitle(scope);
  const findings = parts.map(({ fit, label }) => findingOf(fit, label, series.length));
  const tasks = new Set(parts.flatMap(({ fit }) => fit.rows.map(({ benchmark }) => benchmark)));
  return figure(
    html`${title} <small>${counted(tasks.size, "benchmark")}</small>`,
    draw(
      scoreChart({
        series: parts,
        name: "score, transformed",
        range: fits.settings.family === "beta" ? [0, 1] : undefined,
        alt: altOf(`${title}: score on the modelled scale against w_p.`, parts, findings),
      }),
    ),
    findings.map((text) => html`<p>${text}</p>`),
    4,
  );
};

const benchmarkFigure = (benchmark: Benchmark, { fits, series }: StudyContent, draw: Draw): Markup => {
  const { name, metric, higherIsBetter, rows, transforms } = benchmark;
  const { level } = fits.settings;
  const toRaw = rawScale(transforms, name, !higherIsBetter);
  const parts = series.flatMap((each) => {
    const own = rows.filter(({ cell }) => each.cells.has(cell));
    if (own.length === 0) return [];
    const fit = benchmark.fits.find((found) => seriesOf(found, series) === each);
    return [{ fit, ...partOf(fit, each, own, level, toRaw) }];
  });
  const findings = parts.map(({ fit, label }) =>
    fit === undefined
      ? `${prefix(label, series.length)}the same value in all cells: there is nothing to fit.`
      : findingOf(fit, label, series.length),
  );
  const better = higherIsBetter ? "higher is better" : "lower is better, the score is its negative";
  return figure(
    html`${name} <small>${metric}, ${better}</small>`,
    draw(
      scoreChart({
        series: parts,
        name: metric,
        alt: altOf(`${name}: ${metric} (${better}) against w_p.`, parts, findings),
      }),
    ),
    findings.map((text) => html`<p>${sentence(text)}</p>`),
    4,
  );
};

interface Part extends ScoreSeries {
  readonly label: string;
}

/** @param toRaw from the fit's scale to the points', monotone */
const partOf = (
  fit: StudyFit | undefined,
  { slot, label }: Series,
  values: readonly WeightedValue[],
  level: number,
  toRaw: (score: number) => number,
): Part => {
  const { means } = weightMeans(values, level);
  const points = means.map(({ plw, wp, mean, lower, upper, count }): ChartPoint => {
    const interval = lower === undefined ? "" : ` (${trimmed(lower, 4)} to ${trimmed(upper!, 4)})`;
    const tip = `${label}, PLW ${trimmed(plw, 4)}: ${trimmed(mean, 4)}${interval}, ${counted(count, "cell")}`;
    return { wp, value: mean, lower, upper, tip };
  });
  const effect = fit?.effect;
  const curve = fit && curveOf(fit, level, toRaw);
  const turns = effect?.kind === "maximum" || effect?.kind === "minimum";
  const { vertex, bootstrap } = effect ?? {};
  const interval = effect?.kind === "maximum" ? (bootstrap?.wp ?? vertex) : vertex;
  const value = vertex && curve && nearest(curve, vertex.wp).mean;
  return {
    ...{ slot, label, points, curve },
    significant: effect !== undefined && effect.kind !== "none",
    vertex:
      turns && value !== undefined
        ? { wp: vertex!.wp, value, lower: interval!.lower, upper: interval!.upper }
        : undefined,
  };
};

const curveOf = (
  { fit, effect }: StudyFit,
  level: number,
  toRaw: (score: number) => number,
): CurvePoint[] | undefined => {
  if (fit === undefined || effect === undefined) return undefined;
  try {
    return effectCurve(fit, { level }).map(({ mean, lower, upper, ...at }) => {
      const [a, b] = [toRaw(lower), toRaw(upper)];
      return { ...at, mean: toRaw(mean), lower: Math.min(a, b), upper: Math.max(a, b) };
    });
  } catch (error) {
    // A formula of the user's own may leave w_p's curve open.
    if (error instanceof StatisticsError) return undefined;
    throw error;
  }
};

const nearest = (curve: readonly CurvePoint[], wp: number): CurvePoint =>
  curve.reduce((best, point) => (Math.abs(point.wp - wp) < Math.abs(best.wp - wp) ? point : best));

/** A cell's mean over its benchmarks, on the modelled scale. */
const cellMeans = ({ rows }: StudyFit): WeightedValue[] => {
  const cells = new Map<string, { plw: number; wp: number; sum: number; count: number }>();
  for (const { result, score } of rows) {
    const { plw, wp } = result;
    const cell = cells.get(result.cell) ?? { plw, wp, sum: 0, count: 0 };
    cells.set(result.cell, { ...cell, sum: cell.sum + score, count: cell.count + 1 });
  }
  return [...cells.values()].map(({ plw, wp, sum, count }) => ({
    ...{ plw, wp },
    value: sum / count,
    standardError: null,
  }));
};

const prefix = (label: string, series: number): string => (series < 2 ? "" : `${label}: `);

/** A model's finding in words, or why there is none. */
const findingOf = ({ effect, problem }: StudyFit, label: string, series: number): string =>
  sentence(`${prefix(label, series)}${effect?.sentence ?? `no curve: ${problem}.`}`);

const altOf = (what: string, parts: readonly Part[], findings: readonly string[]): string => {
  const texts = parts.map(({ label, points }, i) => {
    const found = findings[i]!;
    if (points.length === 0) return found;
    const sorted = [...points].sort((a, b) => a.value - b.value);
    const [low, high] = [sorted[0]!, sorted.at(-1)!];
    const range = `means from ${trimmed(low.value, 4)} at w_p ${trimmed(low.wp)} to ${trimmed(high.value, 4)} at w_p ${trimmed(high.wp)}`;
    return `${label}, ${counted(points.length, "weight")}: ${range}. ${found}`;
  });
  return [what, ...texts].join(" ");
};
