// What to preview: the settings of a recipe, or those of the command line over some data.

import { type DataSource, type ReadOptions, readExamples } from "../data/rows/index.ts";
import type { SkipCounts } from "../data/skipped-rows.ts";
import {
  type ChatTemplateOptions,
  createTemplate,
  type Template,
  type TemplateSpec,
  type TrainedTurns,
} from "../data/templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../data/tokenizer/index.ts";
import type { OverflowOptions, OverflowPolicy, WeightPolicy } from "../data/tokens/index.ts";
import { PromptlossError } from "../errors.ts";
import { automaticWeight } from "../inspect/index.ts";
import { RecipeError } from "../recipe/errors.ts";
import type { Recipe } from "../recipe/schema.ts";

/** Settings as a user gives them; those left out are the recipe's defaults. */
export interface PreviewSettings {
  readonly sources: readonly DataSource[];
  readonly read: ReadOptions;
  readonly tokenizer: string;
  readonly template: TemplateSpec;
  readonly templateOptions: ChatTemplateOptions;
  readonly turns: TrainedTurns;
  readonly weights: Omit<WeightPolicy, "promptLossWeight"> & { readonly promptLossWeight: number | "auto" };
  readonly maxLength: number | undefined;
  readonly overflow: OverflowPolicy | undefined;
}

export interface PreviewPlan {
  readonly tokenizer: Tokenizer;
  readonly template: Template;
  readonly weights: WeightPolicy;
  readonly overflow: OverflowOptions | undefined;
  /** What was decided for the user, and why. */
  readonly notes: readonly string[];
  /** Bad rows of all the data; undefined where it did not have to be read. */
  readonly skippedBy: SkipCounts | undefined;
}

/** @throws RecipeError where the recipe names no tokenizer and no model */
export const settingsOf = (recipe: Recipe, file: string): PreviewSettings => {
  const tokenizer = recipe.tokenizer ?? recipe.model;
  if (tokenizer === undefined)
    throw new RecipeError(file, [
      { path: "model", message: "neither model nor tokenizer is there", line: undefined },
    ]);
  const { promptLossWeight, completionWeight, perClass } = recipe.loss;
  const { rewrittenHistory, templateVariables: variables, maxRowBytes } = recipe;
  return {
    sources: recipe.data as readonly DataSource[],
    read: {
      onBadRow: recipe.onBadRow,
      emptyCompletions: recipe.emptyCompletions,
      seed: recipe.seed,
      ...(maxRowBytes !== undefined && { maxRowBytes }),
    },
    tokenizer,
    template: recipe.template as TemplateSpec,
    templateOptions: {
      ...(rewrittenHistory !== undefined && { rewrittenHistory }),
      ...(variables !== undefined && { variables }),
    },
    turns: recipe.turns,
    weights: {
      promptLossWeight,
      ...(completionWeight !== undefined && { completionWeight }),
      ...(perClass !== undefined && { perClass }),
    },
    maxLength: recipe.maxLength,
    overflow: recipe.overflow,
  };
};

export const planPreview = async (settings: PreviewSettings): Promise<PreviewPlan> => {
  const { maxLength, overflow } = settings;
  const tokenizer = await loadTokenizer(settings.tokenizer);
  const template = createTemplate(settings.template, tokenizer, settings.templateOptions);
  if (overflow !== undefined && maxLength === undefined)
    throw new PromptlossError(
      "overflow says what to do with rows above maxLength, and there is no maxLength",
      {
        hint: "set maxLength (--max-length) too",
      },
    );
  const notes: string[] = [];
  let skippedBy: SkipCounts | undefined;
  const { promptLossWeight } = settings.weights;
  const weights = { ...settings.weights, promptLossWeight: 1 };
  if (promptLossWeight === "auto") {
    const examples = readExamples(settings.sources, settings.read);
    const automatic = await automaticWeight(examples, tokenizer);
    weights.promptLossWeight = automatic.promptLossWeight;
    notes.push(automatic.note);
    skippedBy = examples.report.skippedBy as SkipCounts;
  } else weights.promptLossWeight = promptLossWeight;
  return {
    tokenizer,
    template,
    weights,
    overflow:
      maxLength === undefined
        ? undefined
        : { maxLength, policy: overflow ?? "error", bosId: tokenizer.bosId },
    notes,
    skippedBy,
  };
};
