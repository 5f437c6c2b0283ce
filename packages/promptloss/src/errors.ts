// The base of every error that promptloss throws on purpose; families extend it beside the code they serve.

export interface PromptlossErrorOptions {
  /** What to do about it, in one sentence; printed on a line of its own. */
  hint?: string | undefined;
  cause?: unknown;
}

/** An error with a cause that the user can mend: bad input, a bad recipe, a missing file. */
export class PromptlossError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: PromptlossErrorOptions = {}) {
    const { hint, cause } = options;
    super(message, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.hint = hint;
  }

  /** The message as a terminal shows it, with its `hint:` line. */
  override toString(): string {
    return this.hint === undefined ? this.message : `${this.message}\nhint: ${this.hint}`;
  }
}
