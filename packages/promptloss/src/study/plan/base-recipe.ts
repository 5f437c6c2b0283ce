// The recipe that a study's cells begin with, as plain data: paths taken from where the recipe lies, sources written
// out, keys set by their dotted paths.
import { dirname } from "node:path";
import { assign, type LineOf, placedPath, readDocument } from "../../config-file/index.ts";
import { isPlain, placedRecipe, RecipeError } from "../../recipe/index.ts";
import { StudyFileError } from "../errors.ts";

export type Plain = Readonly<Record<string, unknown>>;

export interface BaseRecipe {
  readonly value: unknown;
  /** The file that it comes from; undefined for one inside the study file. */
  readonly file: string | undefined;
  readonly lineOf: LineOf;
}

/** @throws {RecipeError} for a recipe that can't be read */
export function readBaseRecipe(recipe: string | Plain, studyFile: string, lineOf: LineOf): BaseRecipe {
  const folder = dirname(studyFile);
  if (typeof recipe !== "string")
    return {
      value: placedRecipe(recipe, folder),
      file: undefined,
      lineOf: (path) => lineOf(["recipe", ...path]),
    };
  const file = placedPath(recipe, folder);
  const document = readDocument(file, { failure: RecipeError });
  const { value } = document;
  return { value: placedRecipe(isPlain(value) ? value : {}, dirname(file)), file, lineOf: document.lineOf };
}

/**
 * Sets values at dotted keys, in a copy.
 * @throws {StudyFileError} for a key that leads nowhere
 */
export function withValues(
  recipe: unknown,
  values: Readonly<Record<string, unknown>>,
  folder: string,
): unknown {
  const changed = Object.entries(values).reduce(
    (before, [key, value]) => assign(before, { path: key.split("."), value, setBy: "study" }, StudyFileError),
    recipe,
  );
  return placedRecipe(changed, folder);
}
