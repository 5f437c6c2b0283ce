// What goes wrong with studies: their files, their tables, their cells.
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";
import type { RecipeProblem } from "../recipe/errors.ts";

/** The base of every error of a study. */
export class StudyError extends PromptlossError {}

/** Every problem of a study file at once, each with its line. */
export class StudyFileError extends StudyError {
  readonly file: string;
  readonly problems: readonly RecipeProblem[];

  constructor(file: string, problems: readonly RecipeProblem[], hint?: string) {
    const lines = problems.map(({ path, message, line }) => {
      const place = line === undefined ? file : `${file}:${line}`;
      return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
    });
    super(lines.join("\n"), { hint });
    this.file = file;
    this.problems = problems;
  }
}

export interface TableFileErrorOptions extends PromptlossErrorOptions {
  /** From 1. */
  readonly line?: number | undefined;
}

/** A file that holds no table that can be read. */
export class TableFileError extends StudyError {
  readonly file: string;
  readonly line: number | undefined;

  constructor(file: string, problem: string, { line, ...rest }: TableFileErrorOptions = {}) {
    super(`${line === undefined ? file : `${file}:${line}`}: ${problem}`, rest);
    this.file = file;
    this.line = line;
  }
}
