// What can be wrong with a GGUF file, or keep a model from being written as one.
import type { PromptlossErrorOptions } from "../../../errors.ts";
import { ModelError } from "../../errors.ts";

/** A GGUF file that can't be read, or a model that can't be written as one. */
export class GgufError extends ModelError {
  readonly path: string;
  /** The metadata key or the tensor concerned, where it is one. */
  readonly what: string | undefined;

  constructor(
    path: string,
    message: string,
    { what, ...options }: PromptlossErrorOptions & { what?: string } = {},
  ) {
    super(`${path}: ${what === undefined ? "" : `${what}: `}${message}`, options);
    this.path = path;
    this.what = what;
  }
}
