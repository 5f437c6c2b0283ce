// The cells at a glance: benchmarks by weight for each generation ratio, and combinations of the other factors by
// weight, where failed and unfinished cells show too.

import { trimmed } from "../../statistics/numbers.ts";
import type { Draw } from "../charts/figure.ts";
import { broad, type Heatmap, heatmap, narrow } from "../charts/heatmap.ts";
import { benchmarkTiles, cellTiles, type Grid, PALEST } from "../content/heat-tiles.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { table } from "../html/table.ts";

export function heatmaps(content: StudyContent, draw: Draw): Markup {
  const { benchmarks, series } = content;
  const cells = cellTiles(content);
  return html`
${benchmarks.length > 0 && scale(`${PALEST} standard errors or more below the best of its row`, "the best, or as good")}
${series.map((each) => {
  const title = `Benchmarks by weight${series.length > 1 ? `, ${each.label}` : ""}`;
  return gridFigure(
    title,
    "Means over cells, in the metric's own unit.",
    benchmarkTiles(content, each),
    draw,
  );
})}
${
  cells.tiles.length === 0
    ? html`<p>No cell has a score yet.</p>`
    : html`${scale("lowest", "highest")}
${gridFigure(
  "Cells by weight",
  "Mean score over a cell's benchmarks, on the scale that is modeled. ✗ failed, · not finished, – no score that counts.",
  cells,
  draw,
)}`
}`;
}

function gridFigure(title: string, caption: string, grid: Grid, draw: Draw): Markup {
  const drawing: Heatmap = { ...grid, alt: `Heatmap. ${title}. ${caption} ${grid.summary}` };
  const sized = (size: typeof broad, name: string): Markup =>
    html`<div class="${name}">${draw(heatmap(drawing, size))}</div>`;
  return draw.figure({
    title,
    chart: html`${sized(broad, "broad")}${sized(narrow, "narrow")}`,
    caption: html`${caption}
<details><summary>Values</summary>${valueTable(title, grid)}</details>`,
    level: 3,
    className: "heat",
  });
}

function valueTable(title: string, { rows, weights, tiles }: Grid): Markup {
  const text = new Map(tiles.map((tile) => [`${tile.row} ${tile.column}`, tile.text]));
  return table(
    title,
    [{ name: "" }, ...weights.map((plw) => ({ name: `PLW ${trimmed(plw, 4)}`, number: true }))],
    rows.map((name, row) => [name, ...weights.map((_, column) => text.get(`${row} ${column}`) ?? "")]),
  );
}

function scale(low: string, high: string): Markup {
  return html`<p class="note">${low}<span class="scale" aria-hidden="true">${Array.from(
    { length: 9 },
    (_, step) => html`<i style="background:var(--h${step})"></i>`,
  )}</span>${high}</p>`;
}
