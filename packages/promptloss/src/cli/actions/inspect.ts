// `promptloss inspect`: lengths, generation ratio and a recommended prompt loss weight for a data set.

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readExamples } from "../../data/rows/index.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { type PromptObjective, resolveWeightPolicy } from "../../data/tokens/index.ts";
import type { DataPlan } from "../../data-plan/index.ts";
import { dataInputs } from "../../data-plan/index.ts";
import { promptSides } from "../../data-plan/prompt-sides.ts";
import { replaceFile } from "../../files/atomic.ts";
import { checkOutputFile, protectInputs } from "../../files/output.ts";
import { hubModelOf } from "../../hub/index.ts";
import { inspectExamples } from "../../inspect/index.ts";
import { inspectionPage } from "../../inspect/page.ts";
import { renderInspection } from "../../inspect/render.ts";
import type { TaskGroup } from "../../statistics/index.ts";
import { columnsOf, harmlessJson, ink, wrapped } from "../../terminal/index.ts";
import { readFlags, recipeSettings, sourcesOf, tokenizerFolder } from "../data-flags.ts";
import type { RenderingFlags } from "../data-options.ts";
import { leftOutNotes, listSkipped } from "../left-out.ts";
import { Progress, watchedHub } from "../progress.ts";

export interface Flags extends RenderingFlags {
  taskGroup?: TaskGroup;
  sample: number;
  seed: number;
  json?: true;
  html?: string;
  verbose?: true;
}

/** What the recipe's weights leave untrained. */
function weightWarnings(settings: DataPlan | undefined): readonly string[] {
  if (settings === undefined) return [];
  return resolveWeightPolicy({ ...settings.weights, promptLossWeight: 1 }).warnings;
}

const SIDES: Readonly<Record<PromptObjective, string>> = {
  none: "the decoder predicts completions alone: no weight of the prompt counts, and its shares of the loss below are a decoder's",
  denoise:
    "the decoder predicts the completion and, beside it, spans of the prompt, about 15 % of its tokens: shares of the loss below are those of all of it",
  reconstruct: "the decoder predicts the prompt and then the completion",
};

/** Of a recipe whose model has an encoder: what is read and predicted where. */
function sideNotes(settings: DataPlan | undefined): readonly string[] {
  const { model } = settings ?? {};
  if (model === undefined || !existsSync(join(model, "config.json"))) return [];
  const sides = promptSides(settings!);
  return sides === undefined ? [] : [`the model's encoder reads the prompt; ${SIDES[sides.objective]}`];
}

/** The recipe's weights beside the prompt loss weight, of which several are shown. */
function weightsBeside({ weights: { promptLossWeight: _, ...others } }: DataPlan) {
  return others;
}

export async function runInspect(data: string[], flags: Flags): Promise<void> {
  const settings = recipeSettings(data, flags);
  const sources = settings?.sources ?? sourcesOf(data, flags);
  const folder = tokenizerFolder(flags.tokenizer, settings, data);
  if (flags.html !== undefined) {
    checkOutputFile(flags.html);
    const recipe = settings === undefined ? [] : [{ what: "the recipe", path: data[0]! }];
    protectInputs(
      [flags.html],
      [...recipe, ...(await dataInputs(sources)), { what: "the tokenizer", path: folder, grows: true }],
    );
  }
  const tokenizer = await loadTokenizer(folder);
  const template =
    settings === undefined || flags.template !== undefined
      ? createTemplate(flags.template ?? "alpaca", tokenizer)
      : createTemplate(settings.template, tokenizer, settings.templateOptions);
  const stream = readExamples(sources, {
    ...settings?.read,
    ...readFlags(flags),
    // All that is wrong is counted.
    onBadRow: "skip",
    hub: watchedHub(),
    ...(flags.verbose && { onSkip: listSkipped }),
  });
  const progress = new Progress("rows");
  const { sample, seed, taskGroup } = flags;
  const inspection = await inspectExamples(stream, {
    ...{ tokenizer, template, sample, seed, onRow: (rows) => progress.show(rows) },
    ...(settings && { turns: settings.turns }),
    ...(settings?.normalization && { normalization: settings.normalization }),
    ...(settings && { weights: weightsBeside(settings) }),
    ...(flags.verbose && { onRefused: listSkipped }),
    ...(taskGroup && { taskGroup }),
  });
  progress.end();
  const { report } = stream;
  const warnings = [
    ...leftOutNotes(report, flags.verbose === true),
    ...inspection.warnings,
    ...weightWarnings(settings),
    ...sideNotes(settings),
  ];
  const whole = { ...inspection, warnings };
  const names = { data: data.join(", "), tokenizer: hubModelOf(folder)?.id ?? basename(folder) };
  if (flags.html !== undefined) replaceFile(flags.html, inspectionPage(whole, names));
  process.stdout.write(
    flags.json
      ? `${harmlessJson({ ...whole, read: report }, 2)}\n`
      : wrapped(renderInspection(whole, { ...names, colors: ink }), columnsOf(process.stdout)),
  );
}
