// What can go wrong with a tokenizer folder or while encoding: one class, with the path and the cause.
import { PromptlossError, type PromptlossErrorOptions } from "../../errors.ts";

export interface TokenizerErrorOptions extends PromptlossErrorOptions {
  /** The file or folder at fault. */
  path?: string;
}

/** A tokenizer folder that cannot be read or used. */
export class TokenizerError extends PromptlossError {
  readonly path: string | undefined;

  constructor(message: string, options: TokenizerErrorOptions = {}) {
    super(message, options);
    this.path = options.path;
  }
}
