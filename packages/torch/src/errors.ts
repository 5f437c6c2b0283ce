// The error classes of @promptloss/torch. Each carries its facts as fields and, where there is one, a hint.

export interface TorchErrorOptions {
  /** What to do about it, in one sentence; printed on a line of its own. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The base of every error that this package throws. */
export class TorchError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: TorchErrorOptions = {}) {
    const { hint, cause } = options;
    super(message, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.hint = hint;
  }
}
