// Figures of scores against w_p: for each group of tasks on the scale that is modeled, for each benchmark on its own.

import { type CurvePoint, effectCurve, StatisticsError } from "../../statistics/index.ts";
import { pValue, trimmed } from "../../statistics/numbers.ts";
import type { StudyFit } from "../../study/results/fit-study.ts";
import type { Draw } from "../charts/figure.ts";
import { type ChartPoint, type ScoreChart, type ScoreSeries, scoreChart } from "../charts/score-chart.ts";
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

/** More series than these in one chart hide each other: each gets a chart of its own then. */
const TOGETHER = 3;
/** Steps of 1/60 in w_p, about five pixels. */
const CURVE_POINTS = 61;

/** All tasks in one chart as wide as the page. */
export function leadFigure(content: StudyContent, draw: Draw): Markup | undefined {
  const { parts, titles } = groupParts(undefined, content);
  if (parts.length === 0) return undefined;
  const { name, range, subtitle } = titles;
  const alt = altOf(`All tasks: ${name} (${subtitle}) against w_p.`, parts);
  const sized = (large: boolean): Markup => draw(scoreChart({ series: parts, name, range, alt, large }));
  return draw.figure({
    title: html`All tasks <small>mean over a cell's ${subtitle}</small>`,
    chart: html`<div class="broad">${sized(true)}</div><div class="narrow">${sized(false)}</div>`,
    caption: howToRead(content),
    level: 3,
    className: "lead",
  });
}

export function scoreFigures(content: StudyContent, draw: Draw): Markup {
  const { fits, benchmarks, series } = content;
  const scopes = [...new Set(fits.fits.map(({ taskGroup }) => taskGroup))].filter(
    (scope) => scope !== undefined,
  );
  if (benchmarks.length === 0) return html`<p>No cell has a score yet.</p>`;
  return html`
${legend(series)}
${
  scopes.length > 0 &&
  html`
<h3>By group of tasks</h3>
<p>On the scale that is modeled, mean over a cell's benchmarks.</p>
<div class="figures">${scopes.map((scope) => groupFigures(scope, content, draw))}</div>`
}
${groupsOf(benchmarks).map(
  (group) => html`
<h3>${groupTitle(group)}, each benchmark</h3>
<div class="figures">${benchmarks
    .filter((benchmark) => benchmark.group === group)
    .map((benchmark) => benchmarkFigures(benchmark, content, draw))}</div>`,
)}`;
}

function howToRead({ fits }: StudyContent): string {
  const percent = `${trimmed(100 * fits.settings.level, 4)} %`;
  return (
    `Points are means over the cells of one weight, with ${percent} intervals; lines are fitted curves with pointwise ` +
    `${percent} bands, solid where there is a relation and dashed where nothing tells the weights apart. A diamond with a ` +
    "dashed line is the top of a curve that beats both ends; the thick line at the foot is its interval. All figures below " +
    "are drawn alike."
  );
}

function groupFigures(scope: StudyFit["taskGroup"], content: StudyContent, draw: Draw): Markup[] {
  const { parts, titles } = groupParts(scope, content);
  return figuresOf(parts, draw, titles);
}

function groupParts(
  scope: StudyFit["taskGroup"],
  { fits, series }: StudyContent,
): { parts: (Part & { readonly finding: string })[]; titles: Titles } {
  const { level, family } = fits.settings;
  const parts = fits.fits
    .filter(({ taskGroup }) => taskGroup === scope)
    .flatMap((fit) => {
      const part = seriesOf(fit, series);
      if (part === undefined) return [];
      const finding = findingOf(fit, part.label, series.length);
      return [{ fit, finding, ...partOf(fit, part, cellMeans(fit), level, (x) => x) }];
    });
  const tasks = new Set(parts.flatMap(({ fit }) => fit.rows.map(({ benchmark }) => benchmark)));
  const titles = {
    title: groupTitle(scope),
    subtitle: counted(tasks.size, "benchmark"),
    name: family === "beta" ? "score, brought to 0 to 1" : "score, in a task's own deviations",
    range: family === "beta" ? ([0, 1] as const) : undefined,
  };
  return { parts, titles };
}

function benchmarkFigures(benchmark: Benchmark, { fits, series }: StudyContent, draw: Draw): Markup[] {
  const { name, metric, higherIsBetter, rows } = benchmark;
  const { level } = fits.settings;
  const parts = series.flatMap((each) => {
    const own = rows.filter(({ cell, value }) => each.cells.has(cell) && Number.isFinite(value));
    if (own.length === 0) return [];
    const fit = benchmark.fits.find((found) => seriesOf(found, series) === each);
    const finding =
      fit === undefined
        ? sentence(`${prefix(each.label, series.length)}no two different values: there is nothing to fit.`)
        : findingOf(fit, each.label, series.length);
    const toRaw = rawScale(fit?.transforms ?? [], name, !higherIsBetter);
    return [{ finding, ...partOf(fit, each, own, level, toRaw) }];
  });
  const better = higherIsBetter ? "higher is better" : "lower is better, the score is its negative";
  return figuresOf(parts, draw, { title: name, subtitle: `${metric}, ${better}`, name: metric });
}

interface Titles extends Pick<ScoreChart, "name" | "range"> {
  readonly title: string;
  readonly subtitle: string;
}

/** All series in one figure, or one each where they are many. */
function figuresOf(
  parts: readonly (Part & { readonly finding: string })[],
  draw: Draw,
  { title, subtitle, name, range }: Titles,
): Markup[] {
  // Scores that nothing could scale have no place on the chart.
  const drawn = parts.filter(({ points }) => points.length > 0);
  const apart = drawn.length > TOGETHER;
  const sets = apart ? drawn.map((part) => [part]) : drawn.length === 0 ? [] : [drawn];
  return sets.map((series) => {
    const what = apart ? `${title}, ${series[0]!.label}` : title;
    const alt = altOf(`${what}: ${name} (${subtitle}) against w_p.`, series);
    return draw.figure({
      title: html`${what} <small>${subtitle}</small>`,
      chart: draw(scoreChart({ series, name, range, alt })),
      caption: series.map(({ finding }) => html`<p>${finding}</p>`),
      level: 4,
    });
  });
}

interface Part extends ScoreSeries {
  readonly label: string;
}

/** @param toRaw from the fit's scale to the points', monotone */
function partOf(
  fit: StudyFit | undefined,
  { slot, label }: Series,
  values: readonly WeightedValue[],
  level: number,
  toRaw: (score: number) => number,
): Part {
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
}

function curveOf(
  { fit, effect }: StudyFit,
  level: number,
  toRaw: (score: number) => number,
): CurvePoint[] | undefined {
  if (fit === undefined || effect === undefined) return undefined;
  try {
    return effectCurve(fit, { level, points: CURVE_POINTS }).map(({ mean, lower, upper, ...at }) => {
      const [a, b] = [toRaw(lower), toRaw(upper)];
      return { ...at, mean: toRaw(mean), lower: Math.min(a, b), upper: Math.max(a, b) };
    });
  } catch (error) {
    // A formula of the user's own may leave w_p's curve open.
    if (error instanceof StatisticsError) return undefined;
    throw error;
  }
}

function nearest(curve: readonly CurvePoint[], wp: number): CurvePoint {
  return curve.reduce((best, point) => (Math.abs(point.wp - wp) < Math.abs(best.wp - wp) ? point : best));
}

/** A cell's mean over its benchmarks, on the modeled scale, with the benchmarks' errors together where all have one. */
function cellMeans({ rows, transforms }: StudyFit): WeightedValue[] {
  const cells = new Map<string, { plw: number; wp: number; scores: number[]; variance: number }>();
  for (const { result, score, benchmark } of rows) {
    const { plw, wp, standardError, higherIsBetter } = result;
    const { scores, variance } = cells.get(result.cell) ?? { scores: [], variance: 0 };
    // The steps are straight lines, but for what a clip cuts off.
    const toRaw = rawScale(transforms, benchmark, !higherIsBetter);
    const error = (standardError ?? Number.NaN) / (toRaw(1) - toRaw(0));
    cells.set(result.cell, { plw, wp, scores: [...scores, score], variance: variance + error ** 2 });
  }
  return [...cells.values()].map(({ plw, wp, scores, variance }) => ({
    ...{ plw, wp },
    value: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    standardError: Number.isNaN(variance) ? null : Math.sqrt(variance) / scores.length,
  }));
}

function prefix(label: string, series: number): string {
  return series < 2 ? "" : `${label}: `;
}

/** A finding in a few words, which the table of findings has whole; or why there is none. */
function findingOf({ finding, problem }: StudyFit, label: string, series: number): string {
  const said = prefix(label, series);
  if (finding === undefined) return sentence(`${said}nothing to compare: ${problem}.`);
  const { shape, best, interval, correctedP } = finding;
  const where =
    interval === undefined
      ? ""
      : ` at PLW ${trimmed(best.plw)} (${trimmed(interval.plw.lower)} to ${trimmed(interval.plw.upper)})`;
  const p = shape === "no verdict" ? "" : `, corrected p = ${pValue(correctedP)}`.replace("= <", "<");
  return sentence(`${said}${shape}${where}${p}.`);
}

function altOf(what: string, parts: readonly (Part & { readonly finding: string })[]): string {
  const texts = parts.map(({ label, points, finding }) => {
    const sorted = [...points].sort((a, b) => a.value - b.value);
    const [low, high] = [sorted[0]!, sorted.at(-1)!];
    const range = `means from ${trimmed(low.value, 4)} at w_p ${trimmed(low.wp)} to ${trimmed(high.value, 4)} at w_p ${trimmed(high.wp)}`;
    return `${label}, ${counted(points.length, "weight")}: ${range}. ${finding}`;
  });
  return [what, ...texts].join(" ");
}
