// Recipes: a training run as a file.
export { adapterOf, type RecipeAdapter } from "./adapter.ts";
export { RecipeError, type RecipeProblem } from "./errors.ts";
export { type Effect, factsOf, type KeyFacts, partOf } from "./key-facts.ts";
export { isPlain, placedRecipe } from "./placed-recipe.ts";
export { checkRecipe, isRecipe, type ReadRecipeOptions, readRecipe, recipeKeys } from "./read-recipe.ts";
export { type Recipe, recipeSchema } from "./schema.ts";
export { reweightingSettings } from "./sections/loss.ts";
