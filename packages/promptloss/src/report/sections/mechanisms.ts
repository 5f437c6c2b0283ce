// What runs say of their mechanism, probe by probe, against w_p.

import { trimmed } from "../../statistics/numbers.ts";
import type { ResultRow } from "../../study/results/result-row.ts";
import type { Draw } from "../charts/figure.ts";
import { type ProbeSeries, probeChart } from "../charts/probe-chart.ts";
import { probeText } from "../content/probes.ts";
import type { Series, StudyContent } from "../content/study-content.ts";
import { weightMeans } from "../content/weight-means.ts";
import { html, type Markup } from "../html/markup.ts";
import { cellName, counted, legend } from "./wording.ts";

export function mechanisms({ results, series, fits }: StudyContent, draw: Draw): Markup {
  // Probes belong to a cell; the table repeats them in each of its rows.
  const cells = [...new Map(results.rows.map((row) => [row.cell, row])).values()];
  const names = results.probes.filter((name) => cells.some((row) => measured(row, name) !== undefined));
  if (names.length === 0) return html`<p>The runs of this study have measured no probes.</p>`;
  const { level } = fits.settings;
  return html`
<p>Small marks are cells, larger ones their means with ${trimmed(100 * level, 4)} % intervals, joined by lines; no model
is fitted to them.</p>
${legend(series)}
<div class="figures">${names.map((name) => probeFigure(name, cells, series, level, draw))}</div>`;
}

function probeFigure(
  name: string,
  cells: readonly ResultRow[],
  series: readonly Series[],
  level: number,
  draw: Draw,
): Markup {
  const { title, unit, meaning } = probeText(name);
  const parts = series.flatMap((each) => {
    const part = partOf(
      name,
      cells.filter(({ cell }) => each.cells.has(cell)),
      each,
      level,
    );
    return part.cells.length === 0 ? [] : [{ ...part, label: each.label }];
  });
  const courses = parts.map(({ label, means }) => {
    const [first, last] = [means[0]!, means.at(-1)!];
    const sorted = [...means].sort((a, b) => a.value - b.value);
    return (
      `${label}: ${trimmed(first.value, 4)} at w_p ${trimmed(first.wp)}, ${trimmed(last.value, 4)} at w_p ` +
      `${trimmed(last.wp)}; lowest ${trimmed(sorted[0]!.value, 4)} at w_p ${trimmed(sorted[0]!.wp)}, highest ` +
      `${trimmed(sorted.at(-1)!.value, 4)} at w_p ${trimmed(sorted.at(-1)!.wp)}.`
    );
  });
  const alt = [`${title} (${unit}) against w_p.`, ...courses].join(" ");
  return draw.figure({
    title,
    chart: draw(probeChart({ series: parts, name: unit, alt })),
    caption: html`<p>${meaning}</p>`,
    level: 3,
  });
}

function partOf(
  name: string,
  rows: readonly ResultRow[],
  { slot, label }: Series,
  level: number,
): ProbeSeries {
  const values = rows.flatMap((row) => {
    const value = measured(row, name);
    return value === undefined ? [] : [{ row, plw: row.plw, wp: row.wp, value, standardError: null }];
  });
  // No interval of a length or a share reaches below 0.
  const least = values.every(({ value }) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
  return {
    slot,
    cells: values.map(({ row, wp, value }) => ({
      ...{ wp, value },
      tip: `${cellName(row.factors)}: ${trimmed(value, 4)}`,
    })),
    means: weightMeans(values, level).means.map(({ plw, wp, mean, lower, upper, count }) => ({
      ...{ wp, value: mean, upper },
      lower: lower === undefined ? undefined : Math.max(least, lower),
      tip: `${label}, PLW ${trimmed(plw, 4)}: ${trimmed(mean, 4)}, ${counted(count, "cell")}`,
    })),
  };
}

/** As it is drawn. */
function measured({ probes }: ResultRow, name: string): number | undefined {
  const value = probes[name];
  const { shown = (x: number) => x } = probeText(name);
  return typeof value === "number" && Number.isFinite(value) ? shown(value) : undefined;
}
