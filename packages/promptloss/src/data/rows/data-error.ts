// Errors of data files: what is wrong, in which file, row and field, and what to do about it.
// A RowProblem is a bad row inside a reader; it becomes a DataError, or is counted, where the file is known.
import { PromptlossError } from "../../errors.ts";

/** What went wrong, as a word that programs can compare. */
export type DataErrorReason =
  // the configuration of a source
  | "invalid-option"
  | "missing-column"
  | "unknown-format"
  | "ambiguous-format"
  | "unknown-container"
  // the file
  | "missing-file"
  | "directory"
  | "unreadable"
  | "empty-file"
  | "no-examples"
  | "truncated"
  | "invalid-gzip"
  | "file-too-large"
  | "invalid-parquet"
  // a row's bytes
  | "invalid-utf8"
  | "invalid-json"
  | "invalid-csv"
  | "duplicate-key"
  | "row-too-large"
  | "ragged-row"
  // a row's fields
  | "not-an-object"
  | "missing-field"
  | "wrong-type"
  | "empty-prompt"
  | "empty-completion"
  | "untrained"
  | "unknown-role"
  | "role-order"
  | "no-assistant-turn"
  | "tool-call"
  | "invalid-weight"
  | "invalid-tokens"
  | "length-mismatch"
  | "unsupported"
  // a dataset
  | "missing-split";

export interface RowProblemOptions {
  field?: string | undefined;
  hint?: string | undefined;
}

/** Why one row can't be used. The rows after it can. */
export class RowProblem extends Error {
  readonly reason: DataErrorReason;
  readonly field: string | undefined;
  readonly hint: string | undefined;

  constructor(reason: DataErrorReason, message: string, { field, hint }: RowProblemOptions = {}) {
    super(message);
    this.name = "RowProblem";
    this.reason = reason;
    this.field = field;
    this.hint = hint;
  }
}

export interface DataErrorOptions {
  file?: string | undefined;
  /** Counted from 1. */
  row?: number | undefined;
  field?: string | undefined;
  hint?: string | undefined;
  cause?: unknown;
}

/** A data file, a row of one, or a source's configuration that can't be used. */
export class DataError extends PromptlossError {
  readonly reason: DataErrorReason;
  /** The file as the user named it. */
  readonly file: string | undefined;
  /** Counted from 1: of JSONL and plain text the line, of CSV the record under the header. */
  readonly row: number | undefined;
  readonly field: string | undefined;

  constructor(reason: DataErrorReason, message: string, options: DataErrorOptions = {}) {
    const { file, row, field, hint, cause } = options;
    super(`${place(file, row, field)}${message}`, { hint, cause });
    this.reason = reason;
    this.file = file;
    this.row = row;
    this.field = field;
  }

  static ofRow(problem: RowProblem, file: string, row: number): DataError {
    const { reason, message, field, hint } = problem;
    return new DataError(reason, message, { file, row, field, hint: hint ?? SKIP_HINT });
  }
}

/** Of a row that has no hint of its own. */
export const SKIP_HINT = 'Mend the row, or leave out and count such rows with onBadRow: "skip".';

function place(file?: string, row?: number, field?: string): string {
  const parts: string[] = [];
  if (file !== undefined) parts.push(file);
  if (row !== undefined) parts.push(`row ${row}`);
  if (field !== undefined) parts.push(`field "${field}"`);
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
