// The method section: every choice with whose it is, the study's levels and seeds, cells that are missing, versions.
import { type ChoiceMark, choices } from "../content/choices.ts";
import type { RunFacts } from "../content/report-cells.ts";
import { recipeSettings } from "../content/settings.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup, type Part } from "../html/markup.ts";
import { table } from "../html/table.ts";
import { cellName, counted } from "./wording.ts";

const marks: Readonly<Record<ChoiceMark, string>> = {
  paper: "the paper's",
  study: "this study's file",
  own: "our choice",
};

export const method = (content: StudyContent, version: string): Markup => html`
<p>“The paper” is Huerta-Enochian and Ko, “Instruction Fine-Tuning: Does Prompt Loss Matter?”, arXiv 2401.13586. What is
marked <span class="tag">${marks.own}</span> is ours: the paper's exact setting was not available to us, or there is
none.</p>
<dl>${choices(content).map(
  ({ name, mark, texts }) => html`
<dt>${name} <span class="tag">${marks[mark]}</span></dt>${texts.map((text) => html`<dd>${text}</dd>`)}`,
)}</dl>
<h3>The cells</h3>
${levels(content)}
${missing(content)}
${recipe(content)}
<h3>Runs</h3>
${runs(content, version)}`;

/** Labels of each factor. */
const levels = ({ results, cells }: StudyContent): Markup => {
  const all = [...results.rows.map(({ factors }) => factors), ...cells.map((cell) => cell.levels)];
  const plws = [...new Set(results.rows.map(({ plw }) => plw))].sort((a, b) => a - b);
  const labels = results.factors.map((name) => {
    const found = new Set(all.flatMap((factors) => (factors[name] === undefined ? [] : [factors[name]])));
    const sorted = [...found].sort((a, b) =>
      typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en"),
    );
    return html`<li>${name}: ${sorted.join(", ")}</li>`;
  });
  return html`<ul>${labels}
${!results.factors.includes("plw") && plws.length > 0 && html`<li>prompt loss weights: ${plws.join(", ")}</li>`}</ul>`;
};

/** How the cells were trained. */
const recipe = ({ cells }: StudyContent): Markup | undefined => {
  const settings = recipeSettings(cells);
  if (settings === undefined) return undefined;
  const { shared, differing } = settings;
  return html`<h3>The recipe</h3>
${differing.length > 0 && html`<p>Cells differ in ${differing.join(", ")}. What they share:</p>`}
<ul class="settings">${shared.map(({ key, value }) => html`<li>${key}: ${value}</li>`)}</ul>`;
};

/** What has no scores, and why. */
const missing = ({ results, cells, benchmarks }: StudyContent): Markup => {
  const scored = new Set(results.rows.map(({ cell }) => cell));
  const failed = cells.filter(({ state }) => state === "failed");
  const open = results.cells - scored.size - failed.length;
  const partly = [...scored].filter((cell) =>
    benchmarks.some(({ rows }) => rows.every((row) => row.cell !== cell)),
  );
  const lines: Part[] = [
    `${counted(scored.size, "cell")} of ${results.cells} with scores.`,
    failed.length > 0 &&
      `${counted(failed.length, "cell")} failed and are in no figure but the heatmap of cells.`,
    open > 0 && `${counted(open, "cell")} not finished, or not begun, when this page was made.`,
    partly.length > 0 && `${counted(partly.length, "cell")} without a score on some benchmark.`,
  ];
  return html`${lines.map((line) => line && html`<p>${line}</p>`)}
${
  failed.length > 0 &&
  table(
    "Failed cells",
    [{ name: "Cell" }, { name: "Levels" }, { name: "Begun", number: true }, { name: "In" }, { name: "Why" }],
    failed.map(({ id, levels: of, attempts, failure }) => [
      html`<code>${id}</code>`,
      cellName(of),
      counted(attempts, "time"),
      failure?.during ?? "",
      failure?.message ?? "no reason was written",
    ]),
  )
}`;
};

const facts: readonly (readonly [string, (run: RunFacts) => string])[] = [
  ["Seeds", ({ seed }) => String(seed)],
  ["Normalisation of the loss", ({ normalization, reduceOver }) => `${normalization}, over ${reduceOver}`],
  ["Precision of matrix products", ({ precision }) => precision],
  ["promptloss", ({ promptloss }) => promptloss],
  ["libtorch", ({ libtorch }) => libtorch],
  ["Node.js", ({ node }) => node],
  ["Machine", ({ platform, processor, device }) => `${platform}, ${processor}, ${device}`],
];

const runs = ({ cells }: StudyContent, version: string): Markup => {
  const known = cells.flatMap(({ run }) => (run === undefined ? [] : [run]));
  const report = html`<p>Modelled and drawn by promptloss ${version} on Node.js ${process.versions.node}.</p>`;
  if (known.length === 0)
    return html`<p>The folder of this study holds results alone, and no record of the runs.</p>${report}`;
  const notes = [...new Set(known.flatMap((run) => run.notes ?? []))];
  return html`<ul>${facts.map(([name, read]) => html`<li>${name}: ${sorted(known.map(read)).join("; ")}</li>`)}</ul>
${notes.length > 0 && html`<p>Notes of the runs:</p><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}${report}`;
};

/** Different values, numbers by size. */
const sorted = (values: readonly string[]): string[] =>
  [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
