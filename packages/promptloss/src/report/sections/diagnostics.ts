// Whether the models can be believed: residuals against the weight, and what each statement over all tasks becomes
// without one task or block.
import type { MixedModelFit } from "../../statistics/index.ts";
import { pValue, trimmed } from "../../statistics/numbers.ts";
import type { StudyFit } from "../../study/results/fit-study.ts";
import type { Draw } from "../charts/figure.ts";
import { influenceChart } from "../charts/influence-chart.ts";
import { type ResidualSeries, residualChart } from "../charts/residual-chart.ts";
import { type LeftOut, leaveOneOut } from "../content/leave-one-out.ts";
import { type StudyContent, seriesOf } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { counted } from "./wording.ts";

export function diagnostics({ fits, series }: StudyContent, draw: Draw): Markup {
  const overall = fits.fits
    .filter(({ taskGroup }) => taskGroup === undefined)
    .map((fit) => ({ fit, part: seriesOf(fit, series) }))
    .filter(({ part }) => part !== undefined);
  const figures = [
    ...overall.map(({ fit, part }) => residuals(fit, part!.slot, labelOf(part!.label, series.length), draw)),
    ...overall.map(({ fit, part }) => influence(fit, part!.slot, labelOf(part!.label, series.length), draw)),
  ].filter((figure) => figure !== undefined);
  if (figures.length === 0) return html`<p>There is no model of all tasks to look into.</p>`;
  return html`
<p>Residuals of the model of all tasks should spread alike around 0 at all weights: a line through their means that bends
says that the curve does not fit, a wider spread at one end that its intervals are too narrow there. A statement that one
task or seed carries alone is a statement about that one.</p>
<div class="figures">${figures}</div>`;
}

function labelOf(label: string, series: number): string {
  return series < 2 ? "" : `, ${label}`;
}

function residuals(each: StudyFit, slot: number, label: string, draw: Draw): Markup | undefined {
  if (each.fit === undefined) return undefined;
  const spread = deviationOf(each.fit);
  const points = each.fit.rows.map((row, i) => {
    const { result, score, benchmark, block, samplingError = 0, unit } = each.rows[row]!;
    const mean = each.fit!.fitted[i]!;
    const residual = (score - mean) / Math.hypot(spread(mean), samplingError / unit);
    return {
      ...{ wp: result.wp, residual },
      tip: `${benchmark}, ${block}, PLW ${trimmed(result.plw, 4)}: ${trimmed(residual, 3)}`,
    };
  });
  const weights = [...new Set(points.map(({ wp }) => wp))].sort((a, b) => a - b);
  const means = weights.map((wp) => {
    const own = points.filter((point) => point.wp === wp);
    return { wp, residual: own.reduce((sum, { residual }) => sum + residual, 0) / own.length };
  });
  const largest = points.reduce((top, point) => Math.max(top, Math.abs(point.residual)), 0);
  const series: ResidualSeries = { slot, points, means };
  const text = `${counted(points.length, "score")}; the largest residual is ${trimmed(largest, 2)} standard deviations.`;
  return draw.figure({
    title: html`Residuals${label} <small>all tasks</small>`,
    chart: draw(residualChart({ series: [series], alt: `Residuals against w_p${label}: ${text}` })),
    caption: html`<p>${text}</p>`,
    level: 3,
  });
}

/** The estimated part of what a residual is divided by, at a fitted mean. */
function deviationOf({ family, dispersion }: MixedModelFit): (mean: number) => number {
  return family === "beta" ? (mean) => Math.sqrt((mean * (1 - mean)) / (1 + dispersion)) : () => dispersion;
}

function influence(each: StudyFit, slot: number, label: string, draw: Draw): Markup | undefined {
  const left = leaveOneOut(each);
  if (left.length === 0) return undefined;
  const rows = left.map(({ what, p, top }) => ({
    ...{ name: what ?? "all", top },
    tip: `${what === undefined ? "nothing left out" : `without ${what}`}: ${topInWords(top)}, p ${pValue(p)}`,
  }));
  const ps = left.slice(1).map(({ p }) => p);
  const range = `p of any relation, uncorrected: ${pValue(left[0]!.p)} with all, ${pValue(Math.min(...ps))} to ${pValue(Math.max(...ps))} without one.`;
  const flat = left.filter(({ top }) => top === undefined).map(({ what }) => what ?? "all");
  const none =
    flat.length > 0 && `The curve has no top, or none that these weights can place, in: ${flat.join(", ")}.`;
  const alt = `Top of the curve with each task or block left out${label}. ${rows.map(({ tip }) => tip).join("; ")}.`;
  return draw.figure({
    title: html`Without one task or block${label} <small>top of the curve, with its interval</small>`,
    chart: draw(influenceChart({ slot, rows, alt })),
    caption: html`<p>${range}</p>${none && html`<p>${none}</p>`}`,
    level: 3,
  });
}

function topInWords(top: LeftOut["top"]): string {
  return top === undefined
    ? "no top"
    : `top at w_p ${trimmed(top.wp)} (${trimmed(top.lower)} to ${trimmed(top.upper)})`;
}
