// What the study says, first: a verdict for each generation ratio, the weight to use, and one chart of all tasks.
import { trimmed } from "../../statistics/numbers.ts";
import type { Draw } from "../charts/figure.ts";
import { type Series, type StudyContent, seriesOf } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { choiceOf } from "./choice.ts";
import { leadFigure } from "./score-figures.ts";
import { counted, legend, sentence } from "./wording.ts";

export function verdict(content: StudyContent, draw: Draw): Markup {
  const { fits, series } = content;
  if (fits.fits.length === 0)
    return html`<p>There is nothing to model yet, so nothing can be said about the best weight.</p>
${about(content)}`;
  return html`
${series.map((each) => card(each, content))}
${about(content)}
${legend(series)}
${leadFigure(content, draw)}
${fits.notes.length > 0 && html`<ul class="note">${fits.notes.map((note) => html`<li>${sentence(note)}.</li>`)}</ul>`}`;
}

function card(each: Series, content: StudyContent): Markup | undefined {
  const { fits, series } = content;
  const fit = fits.fits.find((found) => found.taskGroup === undefined && seriesOf(found, series) === each);
  if (fit === undefined) return undefined;
  const { finding, beside, problem } = fit;
  const label = series.length > 1 ? `${each.label}: ` : "";
  return html`
<div class="verdict"><h3>${label}${finding?.shape ?? "nothing to compare"}</h3>
<p>${finding === undefined ? sentence(`${problem}.`) : sentence(finding.verdict)}</p>
${beside && !beside.agrees && html`<p class="warning">${sentence(beside.sentence)}.</p>`}
${choiceOf(content, each)}</div>`;
}

/** What was run. */
function about({ results, series, benchmarks }: StudyContent): Markup {
  const done = new Set(results.rows.map(({ cell }) => cell)).size;
  const weights = [...new Set(results.rows.map(({ plw }) => plw))].sort((a, b) => a - b);
  const parts = [
    weights.length === 1 && `one prompt loss weight, ${trimmed(weights[0]!)}`,
    weights.length > 1 &&
      `${weights.length} prompt loss weights from ${trimmed(weights[0]!)} to ${trimmed(weights.at(-1)!)}`,
    benchmarks.length > 0 && counted(benchmarks.length, "benchmark"),
    series.length > 1 && `${series.length} generation ratios`,
  ].filter((part) => part !== false);
  return html`
<p>${sentence(counted(done, "cell"))} of ${results.cells} with scores${parts.length > 0 && `: ${parts.join(", ")}`}.</p>`;
}
