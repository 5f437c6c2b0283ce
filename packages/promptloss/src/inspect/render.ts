// An inspection as a terminal shows it. Pure: data and colors in, text out.

import { counted } from "../counted.ts";
import { TOKEN_CLASSES } from "../data/example.ts";
import type { TokenPart } from "../data/token-parts.ts";
import { renderRecommendation } from "../statistics/index.ts";
import type { Ink } from "../terminal/index.ts";
import { type Alignment, textTable } from "../terminal/text-table.ts";
import type { Distribution } from "./distribution.ts";
import type { Inspection } from "./inspection.ts";
import { partTokens } from "./trained-lengths.ts";

const BARS = " ▁▂▃▄▅▆▇█";

/** One character a bin, its height by the square root of the count, so that thin tails can be seen. */
export function sparkline(counts: readonly number[]): string {
  const most = Math.max(...counts);
  return counts.map((count) => BARS[Math.ceil(8 * Math.sqrt(count / most))]).join("");
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}
function fixed(value: number | undefined, digits = 2): string {
  return value === undefined ? "–" : value.toFixed(digits);
}

export function percent(share: number): string {
  if (share === 0) return "0 %";
  return `${(100 * share).toFixed(share < 0.01 ? 2 : share < 0.1 ? 1 : 0)} %`;
}

const HEADER = ["tokens", "mean", "sd", "min", "5 %", "50 %", "95 %", "99 %", "max", ""];
const ALIGNMENTS: Alignment[] = ["left", ...new Array<Alignment>(8).fill("right"), "left"];

function lengthRow(label: string, { mean, sd, min, max, quantiles, histogram }: Distribution): string[] {
  const { p5, p50, p95, p99 } = quantiles;
  const counts = [min, p5, p50, p95, p99, max].map((value) => whole(Math.round(value)));
  return [label, fixed(mean), fixed(sd), ...counts, sparkline(histogram.counts)];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`.trimEnd());
}

export interface RenderContext {
  readonly data: string;
  readonly tokenizer: string;
  readonly colors: Ink;
}

/** The report, with a line break at its end. */
export function renderInspection(inspection: Inspection, { data, tokenizer, colors }: RenderContext): string {
  const { rows, parts, trained, duplicates, warnings, recommendation } = inspection;
  const lengths = textTable(
    [
      HEADER,
      ...Object.entries(parts).map(([name, each]) => lengthRow(name, each)),
      ...(trained.length === undefined ? [] : [lengthRow("whole row *", trained.length)]),
    ],
    ALIGNMENTS,
  );
  // What is chosen comes first, on what grounds last.
  const [choice, ...grounds] =
    recommendation === undefined ? [] : renderRecommendation(recommendation).split("\n\n");
  return [
    `${colors.bold("promptloss inspect")}  ${data}`,
    "",
    ...indent([`${counted(rows, "row")}, tokenizer ${tokenizer}, template ${trained.template}`]),
    "",
    ...(choice === undefined ? [] : [...indent(choice.split("\n")), ""]),
    ...indent([colors.dim(lengths[0] ?? ""), ...lengths.slice(1)]),
    ...indent([
      colors.dim(`* with template and stop token, on ${counted(trained.rows, "row")} drawn at random`),
    ]),
    "",
    ...ratioLines(inspection, colors),
    "",
    ...shareLines(inspection, colors),
    "",
    ...indent(endLines(inspection)),
    ...indent([`duplicates  ${counted(duplicates.rows, "row")}, ${counted(duplicates.prompts, "prompt")}`]),
    ...(warnings.length === 0
      ? []
      : ["", ...warnings.map((warning) => `  ${colors.yellow("!")} ${warning}`)]),
    "",
    ...(grounds.length === 0 ? [] : [...indent(grounds.join("\n\n").split("\n")), ""]),
  ].join("\n");
}

function ratioLines({ generationRatio, trained }: Inspection, colors: Ink): string[] {
  const { ratioOfMeans, meanOfRatios } = generationRatio;
  return indent([
    ...textTable(
      [
        ["Rg, ratio of mean lengths", fixed(ratioOfMeans), "completion / (instruction + input): the paper's"],
        ["Rg, mean of the rows' ratios", fixed(meanOfRatios), ""],
        ["Rg, as trained *", fixed(trained.ratio), "(completion + stop) / (prompt + template)"],
      ],
      ["left", "right", "left"],
    ).map((line, i) => (i === 0 ? colors.bold(line) : line)),
  ]);
}

function shareLines(inspection: Inspection, colors: Ink): string[] {
  const { lossShares, overflow } = inspection;
  const table = (head: readonly string[], ...rows: readonly (readonly string[])[]): string[] => {
    const [first = "", ...lines] = textTable(
      [head, ...rows],
      head.map((_, i): Alignment => (i === 0 ? "left" : "right")),
    );
    return indent([colors.dim(first), ...lines]);
  };
  const shares = (part: TokenPart): string[] => lossShares.map((each) => percent(each[part]));
  return [
    ...table(
      ["share of the loss at PLW *", ...lossShares.map(({ promptLossWeight }) => String(promptLossWeight))],
      ["prompt", ...shares("prompt")],
      ["content (completion text)", ...shares("content")],
      ["end (stop token)", ...shares("end")],
    ),
    "",
    ...(hasMore(inspection) ? [...classLines(inspection, table), ""] : []),
    ...table(
      ["maximum length", ...overflow.map(({ length }) => whole(length))],
      ["rows that are longer *", ...overflow.map(({ share }) => percent(share))],
    ),
  ];
}

type Table = (head: readonly string[], ...rows: readonly (readonly string[])[]) => string[];

/** Whether there is more than one question and its answer: other classes of tokens, or several trained turns. */
function hasMore({ trained: { tokens, turns } }: Inspection): boolean {
  const others = ["system", "tool-definition", "tool-result", "reasoning", "tool-call"] as const;
  return turns.length > 1 || others.some((name) => tokens[name] > 0);
}

/** Tokens and shares of the loss by class, and by trained turn. */
function classLines({ trained, lossShares, classShares, turnShares }: Inspection, table: Table): string[] {
  const weights = lossShares.map(({ promptLossWeight }) => String(promptLossWeight));
  const classes = TOKEN_CLASSES.filter((name) => trained.tokens[name] > 0);
  const turns = trained.turns.map(({ rows, tokens }, i) => {
    const { prompt, content, end } = partTokens(tokens);
    const written = content + end;
    const name = `turn ${i + 1}${i === trained.turns.length - 1 && i >= 7 ? " and later" : ""}`;
    const counts = [whole(rows), whole(prompt), whole(written)];
    const ratio = fixed(prompt === 0 ? undefined : written / prompt);
    return [name, ...counts, ratio, ...turnShares[i]!.map(percent)];
  });
  return [
    ...table(
      ["share by class at PLW *", "tokens", ...weights],
      ...classes.map((name) => [name, whole(trained.tokens[name]), ...classShares[name].map(percent)]),
    ),
    ...(turns.length < 2
      ? []
      : ["", ...table(["share by turn at PLW *", "rows", "before", "written", "Rg", ...weights], ...turns)]),
  ];
}

const KINDS = [
  ["answer", "completions"],
  ["tool-call", "tool calls"],
] as const;

/** Which tokens end the sampled completions, and whether they are trained. */
function endLines({ trained: { ends, markedTurns, unlikeMarks } }: Inspection): string[] {
  const lines = KINDS.flatMap(([kind, name]) => {
    const found = ends.filter((end) => end.kind === kind);
    if (found.length === 0)
      return kind === "answer" && ends.length === 0 ? [`${name} end in  no stop token`] : [];
    const words = found.map(({ token, completions, untrained }) => {
      const state =
        token === undefined || untrained === completions
          ? "not trained"
          : untrained === 0
            ? "trained"
            : `not trained in ${whole(untrained)}`;
      return `${token ?? "no stop token"} (${whole(completions)} *, ${state})`;
    });
    return [`${name} end in  ${words.join(", ")}`];
  });
  if (markedTurns > 0)
    lines.push(
      unlikeMarks === 0
        ? `the chat template's generation marks agree with what is trained in ${whole(markedTurns)} turns *`
        : `the chat template's generation marks differ from what is trained in ${counted(unlikeMarks, "row")} *`,
    );
  return lines;
}
