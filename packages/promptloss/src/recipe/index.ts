// Recipes: a training run as a file.
export { RecipeError, type RecipeProblem } from "./errors.ts";
export { isPlain, placedRecipe } from "./placed-recipe.ts";
export { checkRecipe, isRecipe, type ReadRecipeOptions, readRecipe, recipeKeys } from "./read-recipe.ts";
export type { Recipe } from "./schema.ts";
