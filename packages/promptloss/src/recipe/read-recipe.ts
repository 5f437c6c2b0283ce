// Reads a recipe: YAML, checked whole, paths taken from where the recipe lies.
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { distance } from "fastest-levenshtein";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { RecipeError, type RecipeProblem } from "./errors.ts";
import { type Recipe, recipeSchema } from "./schema.ts";

/** Whether a path names a recipe rather than data. */
export const isRecipe = (path: string): boolean => /\.ya?ml$/i.test(path);

/**
 * Reads and checks a recipe. Relative paths of data, model and tokenizer that exist beside the recipe are taken from
 * there, others stay as they are (hub ids, paths from the working folder).
 * @throws RecipeError with every problem and its line
 */
export const readRecipe = (file: string): Recipe => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new RecipeError(file, [{ path: "", message: (cause as Error).message, line: undefined }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0)
    throw new RecipeError(
      file,
      document.errors.map(({ message, pos }) => ({ path: "", message, line: lines.linePos(pos[0]).line })),
    );
  const parsed = recipeSchema.safeParse(document.toJS());
  if (!parsed.success)
    throw new RecipeError(
      file,
      parsed.error.issues.flatMap((issue) => problems(issue, document, lines)),
    );
  const recipe = parsed.data;
  const beside = (path: string): string => {
    const local = join(dirname(file), path);
    return !isAbsolute(path) && existsSync(local) ? local : path;
  };
  return {
    ...recipe,
    ...(recipe.model !== undefined && { model: beside(recipe.model) }),
    ...(recipe.tokenizer !== undefined && { tokenizer: beside(recipe.tokenizer) }),
    data: recipe.data.map((source) => ({ ...source, path: beside(source.path) })),
  };
};

const problems = (issue: z.core.$ZodIssue, document: Document, lines: LineCounter): RecipeProblem[] => {
  const at = (path: PropertyKey[]): number | undefined => {
    const node = document.getIn(path, true);
    return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
  };
  if (issue.code !== "unrecognized_keys")
    return [
      {
        path: issue.path.join("."),
        message: issue.message,
        line: at(issue.path) ?? at(issue.path.slice(0, -1)),
      },
    ];
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => {
    const [nearest] = [...known].sort((a, b) => distance(a, key) - distance(b, key));
    const path = [...issue.path, key];
    const guess = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    return { path: path.join("."), message: `there is no such key${guess}`, line: at(path) };
  });
};

const knownKeys = (path: PropertyKey[]): string[] => {
  if (path.length === 0) return Object.keys(recipeSchema.shape);
  return path[0] === "loss" ? ["promptLossWeight", "completionWeight", "perClass", "normalization"] : [];
};
