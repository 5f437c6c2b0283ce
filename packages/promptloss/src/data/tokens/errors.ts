// What can go wrong between text and weighted tokens: a bad policy, or a row that cannot be trained on.
import { PromptlossError, type PromptlossErrorOptions } from "../../errors.ts";
import type { RowSource } from "../example.ts";

/** A weight, a weight policy or an overflow setting that makes no sense. */
export class WeightError extends PromptlossError {
  /** The key at fault, as in `perClass.end`. */
  readonly field: string;

  constructor(field: string, message: string, options: PromptlossErrorOptions = {}) {
    super(`${field}: ${message}`, options);
    this.field = field;
  }
}

/** Why a row cannot be trained on. */
export type TokenRowCause = "untrained" | "overflow" | "bad-tokens" | "several-completions";

/** A row that cannot be trained on. */
export class TokenRowError extends PromptlossError {
  readonly source: RowSource;
  readonly reason: TokenRowCause;

  constructor(
    source: RowSource,
    reason: TokenRowCause,
    message: string,
    options: PromptlossErrorOptions = {},
  ) {
    super(`${source.file}, row ${source.row}: ${message}`, options);
    this.source = source;
    this.reason = reason;
  }
}
