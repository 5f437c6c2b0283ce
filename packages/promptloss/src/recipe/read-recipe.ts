// Reads a recipe: YAML, checked whole, paths taken from where the recipe lies.
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { type Document, parse } from "yaml";
import type { z } from "zod";
import { readYaml } from "./document.ts";
import { RecipeError, type RecipeProblem } from "./errors.ts";
import { nearestKey } from "./known-keys.ts";
import { type Recipe, recipeSchema } from "./schema.ts";

/** Whether a path names a recipe rather than data. */
export const isRecipe = (path: string): boolean => /\.ya?ml$/i.test(path);

export interface ReadRecipeOptions {
  /** Values in place of the file's, as "training.epochs=1"; the values are YAML. */
  readonly set?: readonly string[];
}

/**
 * Reads and checks a recipe. Relative paths of data, model and tokenizer that exist beside the recipe are taken from
 * there, others stay as they are (hub ids, paths from the working folder).
 * @throws RecipeError with every problem and its line
 */
export const readRecipe = (file: string, { set = [] }: ReadRecipeOptions = {}): Recipe => {
  const { document, lineOf } = readYaml(file);
  for (const assignment of set) assign(document, assignment);
  return checkRecipe(document.toJS(), file, lineOf);
};

/**
 * Checks a recipe that is an object already.
 * @param file names the recipe in errors; relative paths are tried beside it
 * @throws RecipeError with every problem
 */
export const checkRecipe = (
  value: unknown,
  file: string,
  line: (path: PropertyKey[]) => number | undefined = () => undefined,
): Recipe => {
  const parsed = recipeSchema.safeParse(value);
  if (!parsed.success)
    throw new RecipeError(
      file,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, line)),
    );
  const beside = (path: string): string => {
    const local = join(dirname(file), path);
    return !isAbsolute(path) && existsSync(local) ? local : path;
  };
  const recipe = parsed.data;
  const { model, tokenizer, evaluation } = recipe;
  const sources = <S extends { path: string }>(list: readonly S[]): S[] =>
    list.map((source) => ({ ...source, path: beside(source.path) }));
  return {
    ...recipe,
    ...(model !== undefined && { model: beside(model) }),
    ...(tokenizer !== undefined && { tokenizer: beside(tokenizer) }),
    ...(evaluation?.data && { evaluation: { ...evaluation, data: sources(evaluation.data) } }),
    data: sources(recipe.data),
  };
};

/** "a.b=c" → c at a.b. */
const assign = (document: Document, assignment: string): void => {
  const match = /^(?<path>[^=\s]+)=(?<value>[\s\S]*)$/.exec(assignment);
  if (match?.groups === undefined)
    throw new RecipeError(
      "--set",
      [{ path: "", message: `${assignment} is no assignment`, line: undefined }],
      "write it as training.epochs=1",
    );
  const keys = match.groups.path!.split(".").map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  let value: unknown;
  try {
    value = parse(match.groups.value!);
  } catch (cause) {
    throw new RecipeError("--set", [
      { path: match.groups.path!, message: (cause as Error).message, line: undefined },
    ]);
  }
  document.setIn(keys, document.createNode(value));
};

/**
 * Problems of a file in words, with the nearest key for an unknown one.
 * @param schema that found them; the recipe's where left out
 */
export const problemsOf = (
  issue: z.core.$ZodIssue,
  line: (path: PropertyKey[]) => number | undefined,
  schema?: z.core.$ZodType,
): RecipeProblem[] => {
  if (issue.code !== "unrecognized_keys")
    return [
      {
        path: issue.path.join("."),
        message: issue.message,
        line: line(issue.path) ?? line(issue.path.slice(0, -1)),
      },
    ];
  return issue.keys.map((key) => {
    const nearest = nearestKey(issue.path, key, schema);
    const path = [...issue.path, key];
    const guess = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    return { path: path.join("."), message: `there is no such key${guess}`, line: line(path) };
  });
};
