// A recipe from the values of a form: checked by the recipe's schema, and written as YAML that trains as it stands.
import { stringify } from "yaml";
import { checkDocument } from "../../config-file/index.ts";
import { RecipeError, recipeSchema } from "../../recipe/index.ts";
import type { RecipeAnswer } from "./answer.ts";

const NAME = "recipe.yaml";

/** Columns at which a long text is folded. */
const WIDTH = 100;

/**
 * Paths are not looked up: what lies there is for whoever trains.
 * @param values a recipe's keys; those that are not given are left to their defaults
 */
export function recipeText(values: Readonly<Record<string, unknown>>): RecipeAnswer {
  const yaml = `# promptloss train ${NAME}\n\n${stringify(values, { lineWidth: WIDTH })}`;
  const document = { file: NAME, value: values, lineOf: () => undefined, isSet: () => false };
  try {
    checkDocument(document, recipeSchema, RecipeError);
    return { yaml, problems: [] };
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return { yaml, problems: error.problems.map(({ path, message }) => ({ path, message })) };
  }
}
