// What the options of commands over data come to: a recipe's settings, or files and how they are read.
import type { DataSource, ReadOptions } from "../data/rows/index.ts";
import { type DataPlan, dataPlanOf } from "../data-plan/index.ts";
import { PromptlossError } from "../errors.ts";
import { modelFolder } from "../models/gguf/model-folder.ts";
import { isRecipe, readRecipe } from "../recipe/index.ts";
import type { DataFlags } from "./data-options.ts";

/** The sources that paths and options name. */
export function sourcesOf(paths: readonly string[], { format, columns }: DataFlags): DataSource[] {
  return paths.map((path) => ({ path, ...(format && { format }), ...(columns && { columns }) }));
}

/** How the options say that data is read. */
export function readFlags({ emptyCompletions }: DataFlags): Pick<ReadOptions, "emptyCompletions"> {
  return emptyCompletions === undefined ? {} : { emptyCompletions };
}

/**
 * The recipe's settings; undefined where the paths name data.
 * @throws {PromptlossError} for a recipe beside other data, or with options that it has keys for
 */
export function recipeSettings(
  paths: readonly string[],
  { set, format, columns, emptyCompletions }: DataFlags,
): DataPlan | undefined {
  const recipe = paths.find(isRecipe);
  if (recipe === undefined && set !== undefined)
    throw new PromptlossError("--set changes keys of a recipe, and there is none", {
      hint: "name a recipe (.yaml), or use the command's own options",
    });
  if (recipe === undefined) return undefined;
  const given = [format, columns, emptyCompletions].some((flag) => flag !== undefined);
  if (paths.length > 1 || given)
    throw new PromptlossError("a recipe names its data, their format and how they are read itself", {
      hint: "give the recipe alone",
    });
  return dataPlanOf(readRecipe(recipe, { set: set ?? [] }), recipe);
}

/** @throws {PromptlossError} where neither says which tokenizer */
export function tokenizerFolder(
  named: string | undefined,
  settings: DataPlan | undefined,
  paths: readonly string[],
): string {
  const folder = named ?? settings?.tokenizer;
  if (folder !== undefined) return modelFolder(folder, "tokenizer");
  const data = paths.length === 1 ? `${paths[0]} is data` : "these are data";
  throw new PromptlossError(`${data}, so --tokenizer has to name a tokenizer`, {
    hint: "a Hugging Face model folder will do",
  });
}
