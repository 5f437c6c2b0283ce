// What can be wrong with a request for text: an option out of range, options that exclude each other, a prompt that
// the model has no room for.
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

export interface GenerationErrorOptions extends PromptlossErrorOptions {
  /** Index of the prompt at fault. */
  readonly prompt?: number;
}

export class GenerationError extends PromptlossError {
  /** The option at fault, or "prompts". */
  readonly field: string;
  readonly prompt: number | undefined;

  constructor(field: string, message: string, options: GenerationErrorOptions = {}) {
    super(`${field}: ${message}`, options);
    this.field = field;
    this.prompt = options.prompt;
  }
}
