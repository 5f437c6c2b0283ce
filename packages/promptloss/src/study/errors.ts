// What goes wrong with studies: their files, their tables, their cells.
import { ConfigFileError } from "../config-file/index.ts";
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** The base of every error of a study. */
export class StudyError extends PromptlossError {}

/** Every problem of a study file at once, each with its line. */
export class StudyFileError extends ConfigFileError {}

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
