// Reads a recipe: YAML, checked whole, paths taken from where the recipe lies.
import { dirname } from "node:path";
import {
  checkDocument,
  isConfigFile,
  knownKeys,
  parseAssignment,
  readDocument,
} from "../config-file/index.ts";
import { RecipeError } from "./errors.ts";
import { placedRecipe } from "./placed-recipe.ts";
import { type Recipe, recipeSchema } from "./schema.ts";

/** Whether a path names a recipe rather than data. */
export function isRecipe(path: string): boolean {
  return isConfigFile(path);
}

export interface ReadRecipeOptions {
  /** Values in place of the file's, as "training.epochs=1"; the values are YAML. */
  readonly set?: readonly string[];
}

/**
 * Reads and checks a recipe. Relative paths of data, model and tokenizer that exist beside the recipe are taken from
 * there, others stay as they are (hub ids, paths from the working folder).
 * @throws {RecipeError} with every problem and its line
 * @example
 * ```ts
 * import { readRecipe } from "promptloss";
 *
 * const recipe = readRecipe("recipe.yaml", { set: ["training.learningRate=1e-4"] });
 * console.log(recipe.training.learningRate);
 * ```
 */
export function readRecipe(file: string, { set = [] }: ReadRecipeOptions = {}): Recipe {
  const document = readDocument(file, { failure: RecipeError, set: set.map(parseAssignment) });
  return placedRecipe(checkDocument(document, recipeSchema, RecipeError), dirname(file)) as Recipe;
}

/**
 * Checks a recipe that is an object already.
 * @param file names the recipe in errors; relative paths are tried beside it
 * @throws {RecipeError} with every problem
 * @example
 * ```ts
 * import { checkRecipe } from "promptloss";
 *
 * const recipe = checkRecipe(
 *   { model: "model", data: "rows.json", output: "checked", training: { steps: 2 } },
 *   "program.js",
 * );
 * console.log(recipe.training.schedule);
 * ```
 */
export function checkRecipe(value: unknown, file: string): Recipe {
  const document = { file, value, lineOf: () => undefined, isSet: () => false };
  return placedRecipe(checkDocument(document, recipeSchema, RecipeError), dirname(file)) as Recipe;
}

/** Every key of a recipe and of its sections, without the paths to them. */
export function recipeKeys(): string[] {
  const top = knownKeys([], recipeSchema);
  const sections = top.filter((key) => key !== "data").flatMap((key) => knownKeys([key], recipeSchema));
  return [...new Set([...top, ...sections])];
}
