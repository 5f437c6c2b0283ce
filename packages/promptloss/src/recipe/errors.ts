// What is wrong with a recipe: every problem at once, each with its place in the file.
import { PromptlossError } from "../errors.ts";

export interface RecipeProblem {
  /** Where, as "loss.promptLossWeight"; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The line in the file, counted from 1. */
  readonly line: number | undefined;
}

export class RecipeError extends PromptlossError {
  readonly file: string;
  readonly problems: readonly RecipeProblem[];

  constructor(file: string, problems: readonly RecipeProblem[], hint?: string) {
    const lines = problems.map(({ path, message, line }) => {
      const place = line === undefined ? file : `${file}:${line}`;
      return `${place}: ${path === "" ? "" : `${path}: `}${message}`;
    });
    super(lines.join("\n"), { hint });
    this.file = file;
    this.problems = problems;
  }
}
