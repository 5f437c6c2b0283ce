// Recipes: a training run as a file.
export { readYaml, type YamlFile } from "./document.ts";
export { RecipeError, type RecipeProblem } from "./errors.ts";
export { recipeKeys } from "./known-keys.ts";
export { checkRecipe, isRecipe, problemsOf, type ReadRecipeOptions, readRecipe } from "./read-recipe.ts";
export type { Recipe } from "./schema.ts";
