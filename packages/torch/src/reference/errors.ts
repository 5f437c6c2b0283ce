// What the references throw. Theirs is the only check of the arguments: they call nothing native.

import { TorchError, type TorchErrorOptions } from "../errors.ts";

/** A reference function was given an argument that does not fit. */
export class ReferenceArgumentError extends TorchError {
  /** Name of the argument, as its function documents it. */
  readonly argument: string;

  constructor(argument: string, cause: string, options: TorchErrorOptions = {}) {
    super(`${argument} ${cause}`, options);
    this.argument = argument;
  }
}
