// What can go wrong when rows are put together: a budget that makes no sense, or a row larger than it.
import { PromptlossError, type PromptlossErrorOptions } from "../../errors.ts";

export class PackingError extends PromptlossError {
  /** The option at fault, as in `budget`. */
  readonly field: string;

  constructor(field: string, message: string, options: PromptlossErrorOptions = {}) {
    super(`${field}: ${message}`, options);
    this.field = field;
  }
}
