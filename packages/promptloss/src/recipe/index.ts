// Recipes: a training run as a file.
export { RecipeError, type RecipeProblem } from "./errors.ts";
export { recipeKeys } from "./known-keys.ts";
export { checkRecipe, isRecipe, type ReadRecipeOptions, readRecipe } from "./read-recipe.ts";
export type { Recipe } from "./schema.ts";
