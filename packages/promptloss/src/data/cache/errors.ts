// Why a token cache cannot be used. Not a failure of the run: the cache is built again, with a line that says so.
import { PromptlossError, type PromptlossErrorOptions } from "../../errors.ts";

export type CacheFault = "missing" | "foreign" | "version" | "byte-order" | "truncated" | "damaged" | "stale";

export class TokenCacheError extends PromptlossError {
  readonly path: string;
  readonly fault: CacheFault;
  /** The message without the path, which may lie in a home folder. */
  readonly reason: string;

  constructor(path: string, fault: CacheFault, message: string, options: PromptlossErrorOptions = {}) {
    super(`${path}: ${message}`, options);
    this.path = path;
    this.fault = fault;
    this.reason = message;
  }
}
