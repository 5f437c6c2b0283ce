// `promptloss preview`: rows as training would see them, every token with its weight.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { addCounts } from "../../data/left-out.ts";
import type { TrainedTurns } from "../../data/templates/index.ts";
import {
  type ClassifiedTokens,
  ExampleTokenizer,
  resolveWeightPolicy,
  TokenRowError,
} from "../../data/tokens/index.ts";
import { type DataPlan, settleData } from "../../data-plan/index.ts";
import { corruptionOf, sidedRow } from "../../data-plan/prompt-sides.ts";
import { PromptlossError } from "../../errors.ts";
import { chooseExamples } from "../../preview/choose-examples.ts";
import { type PreviewRow, previewRow, previewSides } from "../../preview/preview-row.ts";
import { renderPreview } from "../../preview/render.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { readFlags, recipeSettings, sourcesOf, tokenizerFolder } from "../data-flags.ts";
import type { LengthFlags, RenderingFlags, WeightFlags } from "../data-options.ts";
import { leftOutNotes, listSkipped } from "../left-out.ts";
import { noteLine } from "../notes.ts";
import { watchedHub } from "../progress.ts";

export interface Flags extends RenderingFlags, WeightFlags, LengthFlags {
  turns?: TrainedTurns;
  onBadRow?: "error" | "skip";
  rows?: ReadonlySet<number>;
  random?: number;
  seed?: number;
  tokens?: true;
  json?: true;
  verbose?: true;
}

/** Rows can be shown without the model: then none is too long for it. */
function withModelHere(settings: DataPlan): { settings: DataPlan; note: string[] } {
  const { model, maxLength } = settings;
  if (model === undefined || existsSync(join(model, "config.json"))) return { settings, note: [] };
  const note =
    maxLength === undefined ? [`${model} has no config.json here: how long a row may be is not known`] : [];
  return { settings: { ...settings, model: undefined }, note };
}

function noTokenizer(folder: string): PromptlossError {
  return new PromptlossError(`${folder}: there is no tokenizer.json, so that ids have no text to show`, {
    hint: "name a tokenizer with --tokenizer",
  });
}

/** The recipe's settings, or the defaults, with the flags over them. */
function settingsFrom(path: string, flags: Flags): DataPlan {
  const base = recipeSettings([path], flags);
  return {
    sources: base?.sources ?? sourcesOf([path], flags),
    read: {
      ...base?.read,
      ...readFlags(flags),
      hub: watchedHub(),
      ...(flags.seed !== undefined && { seed: flags.seed }),
      ...(flags.onBadRow && { onBadRow: flags.onBadRow }),
    },
    tokenizer: tokenizerFolder(flags.tokenizer, base, [path]),
    template: flags.template ?? base?.template ?? "alpaca",
    templateOptions: flags.template === undefined ? (base?.templateOptions ?? {}) : {},
    turns: flags.turns ?? base?.turns ?? "all",
    weights: {
      ...(base?.weights ?? { promptLossWeight: "auto" }),
      ...(flags.plw !== undefined && { promptLossWeight: flags.plw }),
      ...(flags.allowAnyWeight && { allowAnyWeight: true }),
      ...(flags.completionWeight !== undefined && { completionWeight: flags.completionWeight }),
      ...(Object.keys(flags.classWeight).length > 0 && {
        perClass: { ...base?.weights.perClass, ...flags.classWeight },
      }),
    },
    promptObjective: base?.promptObjective,
    normalization: base?.normalization,
    heldOut: undefined,
    seed: base?.seed ?? 0,
    model: base?.model,
    maxLength: flags.maxLength ?? base?.maxLength,
    overflow: flags.overflow ?? base?.overflow,
  };
}

export async function runPreview(path: string, flags: Flags): Promise<void> {
  const { settings, note } = withModelHere(settingsFrom(path, flags));
  const listing = flags.verbose ? { onSkip: listSkipped } : {};
  const plan = await settleData({ ...settings, read: { ...settings.read, ...listing } });
  if (plan.text === undefined) throw noTokenizer(settings.tokenizer);
  const { tokenizer, template } = plan.text;
  // Where all rows were read to predict a weight, the bad ones are listed and counted already.
  const read = plan.leftOut === undefined ? { ...settings.read, ...listing } : settings.read;
  const chosen = await chooseExamples(settings.sources, read, flags);
  const { onBadRow = "error" } = read;
  const encoder = new ExampleTokenizer(tokenizer, template, {
    turns: settings.turns,
    onBadRow,
  });
  const policy = resolveWeightPolicy(plan.weights);
  const options = { tokenizer, policy, overflow: plan.overflow };
  const { sides } = plan;
  const corrupt = sides && corruptionOf(sides, { tokenizer, seed: settings.seed });
  const rowsOf = (row: ClassifiedTokens): PreviewRow[] =>
    sides === undefined
      ? [previewRow(row, options)]
      : previewSides(
          row,
          options,
          (each) => sidedRow(sides, each),
          // As in the first epoch, but for the row's place, which only the whole data has.
          corrupt && ((each) => corrupt(each, each.source.row - 1, 0)),
        );
  const rows: PreviewRow[] = [];
  const tooLong: TokenRowError[] = [];
  for await (const row of encoder.rows(chosen.examples))
    try {
      rows.push(...rowsOf(row));
    } catch (error) {
      if (!(error instanceof TokenRowError) || onBadRow === "error") throw error;
      tooLong.push(error);
    }
  if (flags.verbose) [...encoder.report.skipped, ...tooLong].forEach(listSkipped);
  const whileReading = plan.leftOut ?? chosen.leftOut;
  const skippedBy = addCounts(
    whileReading.skippedBy,
    encoder.report.skippedBy,
    tooLong.length > 0 ? { overflow: tooLong.length } : {},
  );
  const leftOut = { ...whileReading, skippedBy };
  const notes = [
    ...leftOutNotes(leftOut, flags.verbose === true),
    ...note,
    ...plan.notes,
    ...policy.warnings,
    ...encoder.report.warnings,
  ];
  if (flags.json) {
    process.stdout.write(`${harmlessJson({ weights: plan.weights, notes, rows }, 2)}\n`);
    return;
  }
  for (const note of notes) process.stdout.write(`${noteLine(note, process.stdout)}\n`);
  process.stdout.write(renderPreview(rows, { colors: ink.isColorSupported, listTokens: flags.tokens }));
}
