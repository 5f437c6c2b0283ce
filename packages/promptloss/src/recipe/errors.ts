// What is wrong with a recipe: every problem at once, each with its place in the file.
import { ConfigFileError, type FileProblem } from "../config-file/index.ts";

export type RecipeProblem = FileProblem;

export class RecipeError extends ConfigFileError {}
