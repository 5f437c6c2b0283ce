// The recipe that a study's cells begin with, as plain data: paths taken from where the recipe lies, sources written
// out, keys set by their dotted paths.
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { readYaml } from "../../recipe/index.ts";

export type Plain = { [key: string]: unknown };

export interface BaseRecipe {
  readonly value: Plain;
  /** The file that it comes from; undefined for one inside the study file. */
  readonly file: string | undefined;
  readonly lineOf: (path: readonly PropertyKey[]) => number | undefined;
}

/** @throws RecipeError for a recipe that can't be read */
export const readBaseRecipe = (
  recipe: string | Plain,
  studyFile: string,
  lineOf: BaseRecipe["lineOf"],
): BaseRecipe => {
  if (typeof recipe !== "string")
    return {
      value: withPaths(recipe, dirname(studyFile)),
      file: undefined,
      lineOf: (path) => lineOf(["recipe", ...path]),
    };
  const beside = join(dirname(studyFile), recipe);
  const file = !isAbsolute(recipe) && existsSync(beside) ? beside : recipe;
  const yaml = readYaml(file);
  const value: unknown = yaml.document.toJS();
  return { value: withPaths(isPlain(value) ? value : {}, dirname(file)), file, lineOf: yaml.lineOf };
};

/** Sets values at dotted keys, in a copy. */
export const withValues = (
  recipe: Plain,
  values: Readonly<Record<string, unknown>>,
  folder: string,
): Plain => {
  const copy = structuredClone(recipe);
  for (const [key, value] of Object.entries(values)) setAt(copy, key.split("."), structuredClone(value));
  return withPaths(copy, folder);
};

const setAt = (target: Plain, [key, ...rest]: readonly string[], value: unknown): void => {
  if (key === undefined) return;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = target[key];
  if (!isPlain(inner) && !Array.isArray(inner)) target[key] = {};
  setAt(target[key] as Plain, rest, value);
};

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Relative paths that exist in the folder made absolute, and every source written as an object. */
const withPaths = (recipe: Plain, folder: string): Plain => {
  const found = (path: unknown): unknown => {
    if (typeof path !== "string" || isAbsolute(path)) return path;
    const local = join(folder, path);
    return existsSync(local) ? local : path;
  };
  const sources = (value: unknown): unknown =>
    value === undefined
      ? undefined
      : [value].flat().map((each: unknown) => {
          if (typeof each === "string") return { path: found(each) };
          return isPlain(each) ? { ...each, path: found(each.path) } : each;
        });
  const { evaluation } = recipe;
  const result: Plain = {
    ...recipe,
    ...("model" in recipe && { model: found(recipe.model) }),
    ...("tokenizer" in recipe && { tokenizer: found(recipe.tokenizer) }),
    ...("data" in recipe && { data: sources(recipe.data) }),
  };
  if (isPlain(evaluation) && "data" in evaluation)
    result.evaluation = { ...evaluation, data: sources(evaluation.data) };
  return result;
};
