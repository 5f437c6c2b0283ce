// An inspection as one self-contained HTML page: no script, no request, light and dark.
import { counted } from "../counted.ts";
import { renderRecommendation } from "../statistics/index.ts";
import type { Distribution } from "./distribution.ts";
import type { Inspection } from "./inspection.ts";
import { percent } from "./render.ts";

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #666; --line: #ddd; --bar: #3b6ea5; --paper: #fff; --warn: #a15c00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #999; --line: #3a3a3a; --bar: #7fb0e0; --paper: #161616; --warn: #e0a050 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 52rem; margin: 3rem auto; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem } p.facts { color: var(--soft); margin: .2rem 0 0 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% } th { font-weight: 500; color: var(--soft) }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line) } th:first-child, td:first-child { text-align: left; padding-left: 0 }
svg { display: block } rect { fill: var(--bar) } .big { font-size: 2.6rem; font-weight: 600; line-height: 1.1 } .note { color: var(--soft); font-size: .9rem }
.warn { color: var(--warn) } pre { white-space: pre-wrap; font: .9rem/1.5 ui-monospace, monospace; background: none; margin: 0 }`;

function histogram({ histogram: { counts, edges } }: Distribution): string {
  const most = Math.max(...counts);
  const bars = counts.map((count, i) => {
    const height = (36 * count) / most;
    return `<rect x="${i * 9}" y="${36 - height}" width="8" height="${height}"><title>${edges[i]} to ${edges[i + 1]} tokens: ${counted(count, "row")}</title></rect>`;
  });
  return `<svg width="${counts.length * 9}" height="36" role="img" aria-label="histogram of lengths">${bars.join("")}</svg>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((row) => line(row, "td")).join("")}</table>`;
}

/** The whole page. */
export function inspectionPage(
  {
    rows,
    parts,
    trained,
    generationRatio,
    lossShares,
    overflow,
    duplicates,
    warnings,
    recommendation,
  }: Inspection,
  { data, tokenizer }: { data: string; tokenizer: string },
): string {
  const count = (value: number): string => Math.round(value).toLocaleString("en-US");
  const lengthRow = (name: string, each: Distribution): string[] => {
    const { p5, p50, p95, p99 } = each.quantiles;
    return [
      name,
      each.mean.toFixed(2),
      each.sd.toFixed(2),
      ...[p5, p50, p95, p99, each.max].map(count),
      histogram(each),
    ];
  };
  const ratio = (value: number | undefined): string => value?.toFixed(2) ?? "–";
  const lengths = [
    ...Object.entries(parts).map(([name, each]) => lengthRow(name, each)),
    ...(trained.length === undefined ? [] : [lengthRow("whole row *", trained.length)]),
  ];
  const body = [
    `<h1>${escapeText(data)}</h1>`,
    `<p class="facts">${counted(rows, "row")} · tokenizer ${escapeText(tokenizer)} · template ${escapeText(trained.template)} · ${count(duplicates.rows)} duplicate rows, ${count(duplicates.prompts)} duplicate prompts</p>`,
    "<h2>Generation ratio</h2>",
    `<p><span class="big">${ratio(generationRatio.ratioOfMeans)}</span> mean completion / mean instruction and input, in tokens: the paper's Rg</p>`,
    `<p class="note">Mean of the rows' ratios ${ratio(generationRatio.meanOfRatios)} · as trained, template and stop token included, ${ratio(trained.ratio)} *</p>`,
    "<h2>Tokens</h2>",
    table(["", "mean", "sd", "5 %", "50 %", "95 %", "99 %", "max", ""], lengths),
    "<h2>Each part's share of the loss *</h2>",
    table(
      ["prompt loss weight", ...lossShares.map((each) => String(each.promptLossWeight))],
      [
        ["prompt", ...lossShares.map(({ prompt }) => percent(prompt))],
        ["content (completion text)", ...lossShares.map(({ content }) => percent(content))],
        ["end (stop token)", ...lossShares.map(({ end }) => percent(end))],
      ],
    ),
    "<h2>Rows that are too long *</h2>",
    table(
      ["maximum length", ...overflow.map(({ length }) => count(length))],
      [["longer", ...overflow.map(({ share }) => percent(share))]],
    ),
    `<p class="note">* on ${counted(trained.rows, "row")} drawn at random</p>`,
    ...(warnings.length === 0
      ? []
      : [
          "<h2>Warnings</h2>",
          `<ul class="warn">${warnings.map((each) => `<li>${escapeText(each)}</li>`).join("")}</ul>`,
        ]),
    ...(recommendation === undefined
      ? []
      : ["<h2>Recommendation</h2>", `<pre>${escapeText(renderRecommendation(recommendation))}</pre>`]),
  ];
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeText(data)}</title><style>${STYLE}</style>\n${body.join("\n")}\n</html>\n`;
}
