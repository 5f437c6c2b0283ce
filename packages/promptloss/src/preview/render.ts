// Rows for the eye: in colors, a token's background tells its weight; without colors, runs of one class and weight
// stand on lines of their own with bars between tokens. Pure.

import { visible } from "../terminal/index.ts";
import { type Alignment, textTable } from "../terminal/text-table.ts";
import { type Palette, paint, plain, swatch } from "./palette.ts";
import type { PreviewRow, PreviewToken } from "./preview-row.ts";
import { FIT_WORDS, UNTRAINED } from "./words.ts";

export interface RenderOptions {
  readonly colors: boolean;
  /** List each token with position, id, class and weight. */
  readonly listTokens?: boolean | undefined;
}

/** Several rows with one legend, a line break at the end. */
export function renderPreview(rows: readonly PreviewRow[], options: RenderOptions): string {
  const palette: Palette = options.colors ? paint : plain;
  const weights = [...new Set(rows.flatMap(({ tokens }) => tokens.map(({ weight }) => weight)))];
  const legend = options.colors
    ? `${palette.dim("weight")} ${weights
        .sort((a, b) => a - b)
        .map(swatch)
        .join(
          " ",
        )} ${palette.dim("· cut")} ${palette.cut("text")} ${palette.dim("· special")} ${palette.special("<s>", 0, false)} ${palette.dim("· the first token of a row is never predicted")}`
    : "| stands between tokens, ⏎ for a line break, ✂ before what is cut";
  return `${[legend, ...rows.map((row) => renderRow(row, palette, options))].join("\n\n")}\n`;
}

function renderRow(row: PreviewRow, palette: Palette, { colors, listTokens }: RenderOptions): string {
  const { source, tokens, fit, totals } = row;
  const cut = tokens.filter((token) => token.cut).length;
  const facts = [
    `${tokens.length - cut} tokens`,
    ...(row.restores ? ["its prompt without some spans, which the decoder restores"] : []),
    ...(row.encoded === undefined
      ? []
      : [`the encoder reads ${row.encoded}, the decoder predicts ${tokens.length - cut - row.encoded}`]),
    ...(cut === 0 ? [] : [`${cut} cut`]),
    ...(fit === "kept" ? [] : [FIT_WORDS[fit]]),
    ...(cut < tokens.length && totals.every(({ trained }) => trained === 0) ? [UNTRAINED] : []),
  ];
  const head = `${palette.bold(`${source.file}, row ${source.row}`)}  ${facts.join(", ")}`;
  const body = listTokens ? listing(tokens) : colors ? flow(tokens, palette) : runs(tokens);
  return [head, body, totalsTable(totals)].join("\n");
}

/** The text as it runs, each token on its color; neighbors differ in shade. */
function flow(tokens: readonly PreviewToken[], palette: Palette): string {
  return tokens
    .map(({ text, weight, special, cut }, i) => {
      const odd = i % 2 === 1;
      // A line break is shown and made, outside the color so that it does not run to the margin.
      return text
        .split("\n")
        .map((line, k, all) => {
          const shown = visible(line) + (k < all.length - 1 ? "⏎" : "");
          if (shown === "") return "";
          if (cut) return palette.cut(shown);
          return special ? palette.special(shown, weight, odd) : palette.weight(shown, weight, odd);
        })
        .join("\n");
    })
    .join("");
}

/** Lines of "weight  class  |token| token|". */
function runs(tokens: readonly PreviewToken[]): string {
  const lines: string[][] = [];
  let start = 0;
  while (start < tokens.length) {
    const first = tokens[start]!;
    const same = ({ class: name, weight, cut }: PreviewToken): boolean =>
      name === first.class && weight === first.weight && cut === first.cut;
    let end = start;
    while (end < tokens.length && same(tokens[end]!)) end++;
    const text = tokens.slice(start, end).map((token) => visible(token.text));
    lines.push([number(first.weight), first.class, `${first.cut ? "✂ " : ""}|${text.join("|")}|`]);
    start = end;
  }
  return textTable(lines, ["right", "left", "left"]).join("\n");
}

function listing(tokens: readonly PreviewToken[]): string {
  return textTable(
    [
      ["#", "id", "class", "weight", "text"],
      ...tokens.map(({ index, id, class: name, weight, text, cut }) => [
        String(index),
        String(id),
        name,
        cut ? "cut" : number(weight),
        `|${visible(text)}|`,
      ]),
    ],
    ["right", "right", "left", "right", "left"],
  ).join("\n");
}

function totalsTable(totals: PreviewRow["totals"]): string {
  const all = totals.reduce((sum, { weight }) => sum + weight, 0);
  const share = (weight: number): string => (all === 0 ? "–" : `${((100 * weight) / all).toFixed(1)} %`);
  const alignments: Alignment[] = ["left", "right", "right", "right", "right"];
  return textTable(
    [
      ["class", "tokens", "trained", "weight", "of all weight"],
      ...totals.map(({ class: name, tokens, trained, weight }) => [
        name,
        String(tokens),
        String(trained),
        number(weight),
        share(weight),
      ]),
    ],
    alignments,
  )
    .map((line) => `  ${line}`)
    .join("\n");
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
