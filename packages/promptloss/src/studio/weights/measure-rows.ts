// Rows as a text → their tokens with classes, what is wrong with the others, and what the data is like.
import { setImmediate } from "node:timers/promises";
import { counted } from "../../counted.ts";
import type { Example } from "../../data/example.ts";
import { leftOutLines } from "../../data/left-out.ts";
import { SKIP_HINT } from "../../data/rows/data-error.ts";
import { DataError, type EmptyCompletions, readExamples } from "../../data/rows/index.ts";
import { createTemplate, type Template, TemplateError } from "../../data/templates/index.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import { classifyIds } from "../../data/tokens/classify-ids.ts";
import {
  type ClassifiedTokens,
  ExampleTokenizer,
  type SkippedRow,
  TokenRowError,
} from "../../data/tokens/index.ts";
import { inspectExamples, ratioOfData } from "../../inspect/index.ts";
import { tokenTexts } from "../../preview/preview-row.ts";
import { ServeError } from "../../serve/errors.ts";
import type { BadRow, TokenRow, WeightsAnswer } from "./answer.ts";
import { affordable, tooCostly } from "./row-cost.ts";
import { type RowsFile, type RowsText, withRowsFile } from "./rows-text.ts";

export interface MeasureOptions {
  readonly tokenizer: Tokenizer;
  /** The name of a template, `tokenizer`, or `auto`: the model's own where it has one, as `promptloss init` does, or alpaca. */
  readonly template: string;
  readonly turns: "all" | "last";
  readonly emptyCompletions: EmptyCompletions;
  /** The client's, who may be gone. */
  readonly signal: AbortSignal;
}

/** What an answer holds at most: rows and tokens that a browser still recomputes while a slider moves, and bad rows. */
const SHOWN = { rows: 500, tokens: 60_000, bad: 200 } as const;

/** @throws {ServeError} 400 for a text without rows, or a template that the tokenizer does not have */
export async function measureRows(rows: RowsText, options: MeasureOptions): Promise<WeightsAnswer> {
  const name = options.template === "auto" ? ownOrAlpaca(options.tokenizer) : options.template;
  const template = templateOf(name, options.tokenizer);
  return withRowsFile(rows, async (file) => {
    const read = await readAll(file, options);
    const examples = read.examples.filter((example) => tooCostly(example) === undefined);
    const chosen = affordable(examples, SHOWN.rows);
    const { tokenizer, turns } = options;
    const encoder = new ExampleTokenizer(tokenizer, template, { turns, onBadRow: "skip" });
    const shown: TokenRow[] = [];
    let tokens = 0;
    const giveTurn = turnsOf(options.signal);
    // Encoding with exact boundaries takes longer than all else, so that only rows that may be shown are.
    for await (const row of encoder.rows(chosen)) {
      tokens += row.ids.length;
      if (shown.length < SHOWN.rows && tokens <= SHOWN.tokens) shown.push(tokenRow(row, tokenizer));
      await giveTurn();
    }
    const refused = [
      ...encoder.report.skipped,
      ...(await refusedOf(examples.slice(chosen.length), template, options)),
    ];
    const usable = examples.length - refused.length;
    const bad = [
      ...read.bad,
      ...refused.map((row) => refusedRow(row, file)),
      ...read.examples.flatMap(costlyRow),
    ];
    // What needs whole rows is measured on those that are encoded anyway, Rg on all.
    const inspection =
      usable === 0 ? undefined : await inspectExamples(chosen, { tokenizer, template, turns });
    const generationRatio =
      inspection === undefined || chosen.length === examples.length
        ? inspection?.generationRatio
        : (await ratioOfData(examples, { tokenizer })).generationRatio;
    return {
      name: rows.name,
      ...(read.format !== undefined && { format: read.format }),
      unit: read.unit,
      template: name,
      turns,
      counts: { read: read.rows, usable, bad: bad.length },
      rows: shown,
      ...(tokenizer.bosId !== undefined && { bosId: tokenizer.bosId }),
      bad: bad.slice(0, SHOWN.bad),
      notes: [
        ...leftOutLines({ skippedBy: {}, ignoredColumns: read.ignoredColumns, notes: read.notes }),
        ...(shown.length < usable ? [partNote(shown.length, usable)] : []),
        ...(inspection?.warnings ?? []),
      ].map(file.named),
      ...(generationRatio && { generationRatio }),
      ...(inspection?.trained.ratio !== undefined && { ratioAsTrained: inspection.trained.ratio }),
    };
  });
}

/** Rows that the template or the tokenizer refuses. */
async function refusedOf(
  examples: readonly Example[],
  template: Template,
  { tokenizer, turns, signal }: MeasureOptions,
): Promise<SkippedRow[]> {
  const refused: SkippedRow[] = [];
  const giveTurn = turnsOf(signal);
  for (const example of examples) {
    await giveTurn();
    try {
      if (example.kind === "conversation") template.render(example, turns);
      else if (example.kind === "tokens") classifyIds(example, tokenizer);
    } catch (error) {
      if (error instanceof TemplateError && error.source !== undefined)
        refused.push({ source: error.source, cause: "template", message: error.message });
      else if (error instanceof TokenRowError)
        refused.push({ source: error.source, cause: error.reason, message: error.message });
      else throw error;
    }
  }
  return refused;
}

function partNote(shown: number, usable: number): string {
  const most = `${SHOWN.rows} rows and ${counted(SHOWN.tokens, "token")} at most, fewer of long conversations`;
  return `the first ${shown} of ${counted(usable, "row")} are shown and weighed: ${most}; Rg is of all`;
}

/** Milliseconds after which other requests get their turn: a conversation may take as long as a thousand short rows. */
const TURN_MS = 10;

/** What work calls between its rows. It throws once the client is gone. */
function turnsOf(signal: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since > TURN_MS) {
      await setImmediate();
      since = performance.now();
    }
    signal.throwIfAborted();
  };
}

function ownOrAlpaca({ chatTemplate }: Tokenizer): string {
  return chatTemplate === undefined ? "alpaca" : "tokenizer";
}

function templateOf(name: string, tokenizer: Tokenizer): Template {
  try {
    return createTemplate(name, tokenizer);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ServeError(400, `template: ${error.message}`, {
      param: "template",
      hint: error.hint,
      cause: error,
    });
  }
}

interface ReadRows extends Pick<WeightsAnswer, "format" | "unit"> {
  readonly examples: readonly Example[];
  readonly bad: readonly BadRow[];
  readonly rows: number;
  readonly ignoredColumns: readonly string[];
  readonly notes: readonly string[];
}

const UNITS: Readonly<Record<string, WeightsAnswer["unit"]>> = { jsonl: "line", text: "line", csv: "record" };

async function readAll(
  { source, named }: RowsFile,
  { emptyCompletions, signal }: MeasureOptions,
): Promise<ReadRows> {
  const bad: BadRow[] = [];
  const onSkip = (error: DataError): void => {
    const { row = null, field = null, reason, message, hint } = error;
    // How to leave such rows out is no advice here: they are.
    const own = hint === undefined || hint === SKIP_HINT ? null : hint;
    bad.push({ row, field, cause: reason, message: bare(named(message)), hint: own });
  };
  const stream = readExamples(source, { onBadRow: "skip", emptyCompletions, onSkip });
  const examples: Example[] = [];
  const giveTurn = turnsOf(signal);
  try {
    for await (const example of stream) {
      examples.push(example);
      await giveTurn();
    }
  } catch (error) {
    // Where no row is left each is named; all else is of the text as a whole.
    if (!(error instanceof DataError) || error.reason !== "no-examples") throw error;
  }
  const { rows, ignoredColumns, notes, sources } = stream.report;
  const [first] = sources;
  return {
    examples,
    bad,
    rows,
    ignoredColumns,
    notes,
    unit: UNITS[first?.files[0]?.container ?? ""] ?? "row",
    ...(first?.format !== undefined && { format: first.format }),
  };
}

function refusedRow({ source, cause, message }: SkippedRow, { named }: RowsFile): BadRow {
  return { row: source.row, field: null, cause, message: bare(named(message)), hint: null };
}

function costlyRow(example: Example): BadRow[] {
  const message = tooCostly(example);
  if (message === undefined) return [];
  const hint = "promptloss preview and inspect take rows of any size";
  return [{ row: example.source.row, field: null, cause: "row-too-large", message, hint }];
}

/** A message without its place, which the answer has beside it. */
function bare(message: string): string {
  return message.replace(/^.*?, row \d+(?:, field "[^"]*")?: /s, "");
}

function tokenRow(
  { ids, classes, partWeights, scales, rowWeight, source }: ClassifiedTokens,
  tokenizer: Tokenizer,
): TokenRow {
  return {
    row: source.row,
    ids: [...ids],
    classes: [...classes],
    texts: tokenTexts(ids, tokenizer),
    special: [...ids.keys()].filter((place) => tokenizer.specialIds.has(ids[place]!)),
    ...(partWeights && {
      partWeights: Array.from(partWeights, (weight) => (Number.isNaN(weight) ? null : weight)),
    }),
    ...(scales && { scales: [...scales] }),
    rowWeight,
  };
}
