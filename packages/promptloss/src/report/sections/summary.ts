// What the study found, in plain sentences: the relation of each model, and the weight to use for each kind of task.

import type { Recommendation } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/report/numbers.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { table } from "../html/table.ts";
import { counted, groupTitle, sentence } from "./wording.ts";

export const summary = ({ results, fits, series, benchmarks, recommendations }: StudyContent): Markup => {
  const done = new Set(results.rows.map(({ cell }) => cell)).size;
  const weights = [...new Set(results.rows.map(({ plw }) => plw))].sort((a, b) => a - b);
  const range =
    weights.length > 1
      ? `${weights.length} prompt loss weights from ${trimmed(weights[0]!)} to ${trimmed(weights.at(-1)!)}`
      : weights.length === 1
        ? `one prompt loss weight, ${trimmed(weights[0]!)}`
        : "no prompt loss weight yet";
  const found = fits.fits.map(({ taskGroup, generationRatio, effect, problem }) => {
    const ratio = generationRatio === undefined ? "" : `, Rg ${trimmed(generationRatio)}`;
    const text = sentence(effect?.sentence ?? `no model: ${problem}.`);
    return html`<li><strong>${groupTitle(taskGroup)}${ratio}:</strong> ${text}</li>`;
  });
  return html`
<p>${sentence(counted(done, "cell"))} of ${results.cells} with scores: ${range}, ${counted(benchmarks.length, "benchmark")}${
    series.length > 1 && `, ${series.length} generation ratios`
  }.</p>
${
  found.length === 0
    ? html`<p>There is nothing to model yet, so nothing can be said about the best weight.</p>`
    : html`<ul class="findings">${found}</ul>`
}
${recommendations.length > 0 && weightTable(recommendations)}`;
};

const weightTable = (recommendations: readonly Recommendation[]): Markup =>
  table(
    "Recommended prompt loss weights",
    [
      { name: "For" },
      { name: "Rg", number: true },
      { name: "PLW", number: true },
      { name: "Range" },
      { name: "Stands on" },
    ],
    recommendations.map(({ taskGroup, generationRatio, plw, interval, source, significant }) => [
      groupTitle(taskGroup),
      trimmed(generationRatio),
      html`<strong>${trimmed(plw)}</strong>`,
      interval.kind === "end"
        ? ranges.end()
        : `${trimmed(interval.lower)} to ${trimmed(interval.upper)}, ${ranges[interval.kind](interval.level)}`,
      source === "study"
        ? "this study"
        : `the paper's figures${significant ? "" : ", nothing significant for this ratio"}: this study does not settle it`,
    ]),
  );

const ranges: Readonly<Record<Recommendation["interval"]["kind"], (level?: number) => string>> = {
  surface: (level) => `${percent(level)} by draws of the surface`,
  bootstrap: (level) => `${percent(level)} by parametric bootstrap`,
  delta: (level) => `${percent(level)} by the delta method`,
  stated: () => "a stated range, no confidence interval",
  end: () => "the end of the range that was tried",
};

const percent = (level = 0.95): string => `${trimmed(100 * level, 4)} %`;
