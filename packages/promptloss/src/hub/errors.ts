// What can be wrong with a repository of the Hugging Face hub, on the way there, or with who asks.
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** What went wrong, as a word that programs can compare. */
export type HubErrorReason =
  | "hub-not-found"
  | "hub-access"
  | "hub-unreachable"
  | "hub-offline"
  | "hub-download"
  | "hub-upload"
  /** The repository is there, and is not what was asked for. */
  | "hub-content";

/** A repository of the hub that can't be read or written. */
export class HubError extends PromptlossError {
  readonly reason: HubErrorReason;
  /** The repository, or a file of it, as the user named it. */
  readonly file: string | undefined;

  constructor(
    reason: HubErrorReason,
    message: string,
    { file, ...options }: PromptlossErrorOptions & { file?: string | undefined } = {},
  ) {
    super(file === undefined ? message : `${file}: ${message}`, options);
    this.reason = reason;
    this.file = file;
  }
}
