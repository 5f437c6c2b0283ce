// What can go wrong between outputs and verdicts: files that do not match, a judge that can't be reached or speaks
// another language.
import { PromptlossError, type PromptlossErrorOptions } from "../../errors.ts";

export interface JudgeErrorOptions extends PromptlossErrorOptions {
  readonly file?: string | undefined;
  /** Counted from 1. */
  readonly row?: number | undefined;
  /** Of the endpoint's answer. */
  readonly status?: number | undefined;
}

export class JudgeError extends PromptlossError {
  readonly file: string | undefined;
  readonly row: number | undefined;
  readonly status: number | undefined;

  constructor(message: string, options: JudgeErrorOptions = {}) {
    const { file, row, status } = options;
    const where = [file, row === undefined ? undefined : `row ${row}`].filter((part) => part !== undefined);
    super(where.length === 0 ? message : `${where.join(", ")}: ${message}`, options);
    this.file = file;
    this.row = row;
    this.status = status;
  }
}
