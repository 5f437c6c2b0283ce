// What a run reads and what its tokens are worth, as plain data: from a recipe, or from a command's options. Every
// command that looks at training data begins here, so that all of them see the same rows.
import type { DataSource, ReadOptions } from "../data/rows/index.ts";
import type { ChatTemplateOptions, TemplateSpec, TrainedTurns } from "../data/templates/index.ts";
import type { OverflowPolicy, PromptObjective, WeightPolicy } from "../data/tokens/index.ts";
import type { Normalization } from "../loss/normalization.ts";
import { modelFolder } from "../models/gguf/model-folder.ts";
import { type Recipe, RecipeError } from "../recipe/index.ts";

/** Rows that are measured, not trained on: data of its own, or a number or share of the training data. */
export type HeldOutPlan =
  | { readonly sources: readonly DataSource[] }
  | ({ readonly unit: HeldOutUnit } & ({ readonly rows: number } | { readonly fraction: number }));

/** Whether rows that share an input, a prompt or a `group` field are held out together, or rows one by one. */
export type HeldOutUnit = "group" | "row";

export interface DataPlan {
  readonly sources: readonly DataSource[];
  readonly read: ReadOptions;
  readonly heldOut: HeldOutPlan | undefined;
  /** Seeds the choice of held-out rows. */
  readonly seed: number;
  /** A folder. */
  readonly tokenizer: string;
  readonly template: TemplateSpec;
  readonly templateOptions: ChatTemplateOptions;
  readonly turns: TrainedTurns;
  /** `auto` is settled by the data's generation ratio when the data is opened. */
  readonly weights: Omit<WeightPolicy, "promptLossWeight"> & { readonly promptLossWeight: number | "auto" };
  /** What a prompt's loss is where a model has an encoder; `none` where undefined. */
  readonly promptObjective: PromptObjective | undefined;
  /** What the loss is divided by, which decides what a weight is worth; `weight-sum` where undefined. */
  readonly normalization: Normalization | undefined;
  /** The model's folder, whose positions bound a row where `maxLength` is left out; no bound without it. */
  readonly model: string | undefined;
  readonly maxLength: number | undefined;
  /** `error` where left out. */
  readonly overflow: OverflowPolicy | undefined;
}

/**
 * Of a model of the hub, configs and tokenizer are fetched.
 * @throws {RecipeError} where the recipe names no tokenizer and no model
 * @throws {HubError} for a name of the hub that can't be had
 */
export function dataPlanOf(recipe: Recipe, file: string): DataPlan {
  const tokenizer = recipe.tokenizer ?? recipe.model;
  if (tokenizer === undefined)
    throw new RecipeError(file, [
      { path: "model", message: "neither model nor tokenizer is there", line: undefined },
    ]);
  const { promptLossWeight, completionWeight, perClass, allowAnyWeight } = recipe.loss;
  const { rewrittenHistory, templateVariables: variables, maxRowBytes, maxUnpackedBytes } = recipe;
  return {
    sources: recipe.data as readonly DataSource[],
    read: {
      onBadRow: recipe.onBadRow,
      emptyCompletions: recipe.emptyCompletions,
      seed: recipe.seed,
      ...(maxRowBytes !== undefined && { maxRowBytes }),
      ...(maxUnpackedBytes !== undefined && { maxUnpackedBytes }),
    },
    heldOut: heldOutPlan(recipe.evaluation),
    seed: recipe.seed,
    tokenizer: modelFolder(tokenizer, "tokenizer"),
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
      ...(allowAnyWeight !== undefined && { allowAnyWeight }),
    },
    promptObjective: recipe.loss.promptObjective,
    normalization: recipe.loss.normalization,
    model: recipe.model && modelFolder(recipe.model, "tokenizer"),
    maxLength: recipe.maxLength,
    overflow: recipe.overflow,
  };
}

/** The recipe's schema gives exactly one of the three. */
function heldOutPlan(evaluation: Recipe["evaluation"]): HeldOutPlan | undefined {
  if (evaluation === undefined) return undefined;
  const { data, rows, fraction = 0, unit = "group" } = evaluation;
  if (data !== undefined) return { sources: data as readonly DataSource[] };
  return rows === undefined ? { unit, fraction } : { unit, rows };
}
