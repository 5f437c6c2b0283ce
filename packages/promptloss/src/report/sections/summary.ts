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
  const [lowest, highest] = [weights[0], weights.at(-1)];
  const about = [
    weights.length === 1 && `one prompt loss weight, ${trimmed(lowest!)}`,
    weights.length > 1 &&
      `${weights.length} prompt loss weights from ${trimmed(lowest!)} to ${trimmed(highest!)}`,
    benchmarks.length > 0 && counted(benchmarks.length, "benchmark"),
    series.length > 1 && `${series.length} generation ratios`,
  ].filter((part) => part !== false);
  const found = fits.fits.map(({ taskGroup, generationRatio, finding, beside, problem }) => {
    const ratio = generationRatio === undefined ? "" : `, Rg ${trimmed(generationRatio)}`;
    const text = sentence(finding?.verdict ?? `nothing to compare: ${problem}.`);
    const other = beside && !beside.agrees && ` ${sentence(beside.sentence)}.`;
    return html`<li><strong>${groupTitle(taskGroup)}${ratio}:</strong> ${text}${other}</li>`;
  });
  return html`
<p>${sentence(counted(done, "cell"))} of ${results.cells} with scores${about.length > 0 && `: ${about.join(", ")}`}.</p>
${
  found.length === 0
    ? html`<p>There is nothing to model yet, so nothing can be said about the best weight.</p>`
    : html`<ul class="findings">${found}</ul>`
}
${recommendations.length > 0 && weightTable(recommendations)}`;
};

const weightTable = (recommendations: readonly Recommendation[]): Markup => html`
${table(
  "Prompt loss weights of lowest expected regret: a choice, not a claim",
  [
    { name: "For" },
    { name: "Rg", number: true },
    { name: "PLW", number: true },
    { name: "Expected regret", number: true },
    { name: "Best with", number: true },
    { name: "Alike", number: true },
    { name: "Rests on" },
  ],
  recommendations.map(
    ({ taskGroup, generationRatio, plw, expectedRegret, unit, probabilityBest, within, runs }) => [
      groupTitle(taskGroup),
      trimmed(generationRatio),
      html`<strong>${trimmed(plw)}</strong>`,
      `${trimmed(expectedRegret, 2)} ${unit}`,
      `${trimmed(100 * probabilityBest, 2)} %`,
      `${trimmed(within.lower)} to ${trimmed(within.upper)}`,
      runs > 0 ? counted(runs, "run") : "the prior alone",
    ],
  ),
)}
<p class="note">What is known beside this study:</p>
<ul class="note">${[...new Set(recommendations.map(known))].map((text) => html`<li>${text}</li>`)}</ul>`;

/** What the paper's figures say, without the study's own notes, which stand above. */
const known = ({ generationRatio, evidence }: Recommendation): string => {
  const said = evidence
    .filter(({ mark }) => mark !== "study")
    .map(({ mark, text }) => `${text} (${marks[mark]})`);
  return `Rg ${trimmed(generationRatio)}: ${said.join("; ")}.`;
};

const marks: Readonly<Record<Recommendation["evidence"][number]["mark"], string>> = {
  study: "this study",
  V: "the paper",
  D: "derived from the paper's figures",
  O: "ours",
  "follow-up": "a follow-up paper",
};
