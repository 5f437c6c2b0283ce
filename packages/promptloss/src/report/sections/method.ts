// The method section: every choice with whose it is, the study's levels and seeds, cells that are missing, versions.

import { trimmed } from "../../statistics/numbers.ts";
import { type ChoiceMark, choices } from "../content/choices.ts";
import { bibtex, methodsParagraph } from "../content/citation.ts";
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

export function method(content: StudyContent, version: string, year: number): Markup {
  return html`
<h3>To paste</h3>
<p class="paste">${methodsParagraph(content, version)}</p>
<details><summary>BibTeX</summary><pre tabindex="0">${bibtex(version, year)}</pre></details>
<h3>Choices</h3>
<p>“The paper” is Huerta-Enochian and Ko, “Instruction Fine-Tuning: Does Prompt Loss Matter?”, arXiv 2401.13586. What is
marked <span class="tag">${marks.own}</span> is ours: the paper's exact setting was not available to us, or there is
none.</p>
<details><summary>Every choice between the runs and the figures</summary><dl>${choices(content).map(
    ({ name, mark, texts }) => html`
<dt>${name} <span class="tag">${marks[mark]}</span></dt>${texts.map((text) => html`<dd>${text}</dd>`)}`,
  )}</dl></details>
<h3>The cells</h3>
${levels(content)}
${missing(content)}
${recipe(content)}
<h3>Runs</h3>
${runs(content, version)}`;
}

/** Labels of each factor. */
function levels({ results, cells }: StudyContent): Markup {
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
}

/** How the cells were trained. */
function recipe({ cells }: StudyContent): Markup | undefined {
  const settings = recipeSettings(cells);
  if (settings === undefined) return undefined;
  const { shared, differing } = settings;
  return html`<h3>The recipe</h3>
${differing.length > 0 && html`<p>Cells differ in ${differing.join(", ")}. What they share:</p>`}
<details><summary>${counted(shared.length, "setting")}</summary><ul class="settings">${shared.map(({ key, value }) => html`<li>${key}: ${value}</li>`)}</ul></details>`;
}

/** What has no scores, and why. */
function missing({ results, cells, benchmarks }: StudyContent): Markup {
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
}

const facts: readonly (readonly [string, (run: RunFacts) => string])[] = [
  ["Seeds", ({ seed }) => String(seed)],
  ["Normalization of the loss", ({ normalization, reduceOver }) => `${normalization}, over ${reduceOver}`],
  ["Precision of matrix products", ({ precision }) => precision],
  ["promptloss", ({ promptloss }) => promptloss],
  ["libtorch", ({ libtorch }) => libtorch],
  ["Node.js", ({ node }) => node],
  ["Machine", ({ platform, processor, device }) => `${platform}, ${processor}, ${device}`],
];

function runs({ cells }: StudyContent, version: string): Markup {
  const known = cells.flatMap(({ run }) => (run === undefined ? [] : [run]));
  const report = html`<p>Modeled and drawn by promptloss ${version} on Node.js ${process.versions.node}.</p>`;
  if (known.length === 0)
    return html`<p>The folder of this study holds results alone, and no record of the runs.</p>${report}`;
  const notes = [...new Set(known.flatMap((run) => run.notes ?? []))];
  return html`<ul>${facts.map(([name, read]) => html`<li>${name}: ${sorted(known.map(read)).join("; ")}</li>`)}</ul>
${notes.length > 0 && html`<p>Notes of the runs:</p><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}${provenance(cells)}${report}`;
}

/** Of a run that came to its end. */
function took({ end }: RunFacts) {
  return end !== undefined && "seconds" in end ? end : undefined;
}

/** Of each run: what it was trained on and from, as hashes, and what it took. */
function provenance(cells: StudyContent["cells"]): Markup {
  const known = cells.flatMap(({ id, levels: of, run }) => (run === undefined ? [] : [{ id, of, run }]));
  const total = (read: (run: RunFacts) => number | undefined): number =>
    known.reduce((sum, { run }) => sum + (read(run) ?? 0), 0);
  const hours = total((run) => took(run)?.seconds) / 3600;
  const tokens = total((run) => took(run)?.tokens);
  const short = (hash: string | undefined): Markup => html`<code>${hash?.slice(0, 12) ?? "–"}</code>`;
  return html`
<p>Together ${tokens.toLocaleString("en")} training tokens in ${trimmed(hours, 3)} hours of training.</p>
<details><summary>Hashes, rows, tokens and times of each run</summary>${table(
    "Runs",
    [
      { name: "Cell" },
      { name: "Levels" },
      { name: "Data" },
      { name: "Model" },
      { name: "Run" },
      { name: "Rows", number: true },
      { name: "Held out", number: true },
      { name: "Steps", number: true },
      { name: "Tokens", number: true },
      { name: "Seconds", number: true },
    ],
    known.map(({ id, of, run }) => [
      html`<code>${id}</code>`,
      cellName(of),
      ...[run.dataHash, run.modelHash, run.fingerprint].map(short),
      ...[run.rows, run.heldOutRows, run.steps, took(run)?.tokens].map((n) => n?.toLocaleString("en") ?? "–"),
      trimmed(took(run)?.seconds ?? Number.NaN, 3),
    ]),
  )}<p class="note">SHA-256, the first twelve digits, of the rows as trained, the base model, and the run.</p></details>`;
}

/** Different values, numbers by size. */
function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
