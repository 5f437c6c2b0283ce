// A plan → its rows: read, tokenized, weighed, made to fit, and parted into those that are trained on and those that are
// held out. The one way from data to rows, for training, a study's plan and `loss`.
import { loadRows } from "../data/load-rows.ts";
import type { RowSet } from "../data/row-subset.ts";
import type { DataSource } from "../data/rows/index.ts";
import type { Template } from "../data/templates/index.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import {
  type ClassifiedRows,
  type TokenizationReport,
  WeightedRows,
  type WeightPolicy,
} from "../data/tokens/index.ts";
import type { DataPlan } from "./data-plan.ts";
import { DataPlanError } from "./errors.ts";
import { haveConversations } from "./first-rows.ts";
import { heldOutNote, holdOut } from "./hold-out.ts";
import { loadIdRows, modelVocabulary } from "./id-rows.ts";
import { notesOf } from "./notes.ts";
import { type CorruptRow, sidedRows } from "./prompt-sides.ts";
import { type SettledData, type SettleOptions, settleData } from "./settle-data.ts";

export interface OpenDataOptions extends SettleOptions {
  /** Where token caches are kept; the user's cache folder when left out. */
  readonly cache?: string;
  /** Called with the number of rows tokenized so far. */
  readonly onRow?: (rows: number, share: number) => void;
  /** Called where rows are tokenized and their weights, lengths and groups are looked at, which takes a while too. */
  readonly onWeigh?: () => void;
  /** Changes the weights that the plan gives. */
  readonly tokenWeight?: WeightPolicy["tokenWeight"];
}

/** Rows ready for training. Close it when done. */
export interface OpenData {
  /** Undefined where the folder has no tokenizer and all rows are ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** What conversations are laid out with; undefined where all rows are texts or ids as they are. */
  readonly template: Template | undefined;
  /** With `auto` settled. */
  readonly weights: WeightPolicy;
  /** Rows to train on. */
  readonly rows: RowSet;
  readonly heldOut: RowSet | undefined;
  /** Of a model whose decoder restores prompts: what it is given of a row in an epoch, beside the row. */
  readonly corrupt: CorruptRow | undefined;
  /** What was decided for the user, what was cut or left out, and what may be wrong. */
  readonly notes: readonly string[];
  close(): void;
}

/**
 * Opens a plan's data.
 * @throws {DataError}, {TemplateError}, {TokenRowError} for data that can't be used
 * @throws {TokenizerError}, {ModelError}, {WeightError}, {DataPlanError} for a plan that can't
 */
export async function openData(plan: DataPlan, options: OpenDataOptions = {}): Promise<OpenData> {
  const settled = await settleData(plan, options);
  const { tokenWeight } = options;
  const weights = { ...settled.weights, ...(tokenWeight !== undefined && { tokenWeight }) };
  const notes = [...settled.notes];
  const closing: (() => void)[] = [];
  const close = (): void => {
    for (const each of closing) each();
  };
  const open = async (sources: readonly DataSource[], prefix: string): Promise<WeightedRows> => {
    const { rows, report, close } = await classified(sources, plan, settled, options, (note) =>
      notes.push(note),
    );
    closing.push(close);
    options.onWeigh?.();
    const weighed = new WeightedRows(rows, {
      weights,
      ...(settled.overflow && { overflow: settled.overflow }),
      onBadRow: plan.read.onBadRow ?? "error",
      oneCompletion: settled.sides !== undefined,
    });
    notes.push(...notesOf(report, weighed.report).map((note) => `${prefix}${note}`));
    return weighed;
  };
  try {
    const all = await open(plan.sources, "");
    const parts = await heldOutParts(all, plan, (sources) => open(sources, "evaluation.data: "));
    if (parts.note !== undefined) notes.push(parts.note);
    const opened = { rows: parts.kept, heldOut: parts.heldOut };
    const tokenizer = settled.text?.tokenizer;
    const sided = settled.sides && sidedRows(settled.sides, opened, { tokenizer, seed: plan.seed });
    return {
      tokenizer,
      template: (await haveConversations(plan.sources, plan.read)) ? settled.text?.template : undefined,
      weights,
      corrupt: undefined,
      ...(sided ?? opened),
      notes,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function heldOutParts(
  all: RowSet,
  { heldOut, seed }: DataPlan,
  open: (sources: readonly DataSource[]) => Promise<WeightedRows>,
): Promise<{ kept: RowSet; heldOut: RowSet | undefined; note: string | undefined }> {
  if (heldOut === undefined) return { kept: all, heldOut: undefined, note: undefined };
  if (!("sources" in heldOut)) return holdOut(all, heldOut, seed);
  const rows = someRows(await open(heldOut.sources));
  return { kept: all, heldOut: rows, note: heldOutNote(heldOut.sources, rows, all) };
}

interface Classified {
  readonly rows: ClassifiedRows;
  readonly report: TokenizationReport;
  readonly close: () => void;
}

async function classified(
  sources: readonly DataSource[],
  { read, turns, model }: DataPlan,
  { text }: SettledData,
  { cache, onRow }: OpenDataOptions,
  onNote: (note: string) => void,
): Promise<Classified> {
  if (text === undefined)
    return { ...(await loadIdRows(sources, read, await modelVocabulary(model!))), close: () => {} };
  const rows = await loadRows(sources, {
    ...text,
    turns,
    read,
    onNote,
    ...(onRow !== undefined && { onRow }),
    ...(cache !== undefined && { cache }),
  });
  return { rows, report: rows.report, close: () => rows.close() };
}

function someRows(rows: WeightedRows): WeightedRows {
  if (rows.length === 0)
    throw new DataPlanError("evaluation.data: no row is left to measure", {
      hint: "look at it with promptloss inspect",
    });
  return rows;
}
