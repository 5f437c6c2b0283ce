// What goes wrong between processes.
import { TorchError, type TorchErrorOptions } from "../errors.ts";

/** The build in use has no process groups, or not the backend that is asked for. */
export class DistributedUnavailableError extends TorchError {}

/** The environment says of this process's rank what cannot be, or too little. */
export class RankError extends TorchError {}

/** An operation over processes failed: a rank is gone, or did not come in time. */
export class ProcessGroupError extends TorchError {
  /** The rank of this process. */
  readonly rank: number;
  /** The ranks at fault, as far as that is known. */
  readonly peers: readonly number[];
  /** The operation and its number among all of the group's, "all-reduce 17". */
  readonly operation: string;

  constructor(
    message: string,
    fields: { readonly rank: number; readonly peers: readonly number[]; readonly operation: string },
    options?: TorchErrorOptions,
  ) {
    super(message, options);
    this.rank = fields.rank;
    this.peers = fields.peers;
    this.operation = fields.operation;
  }
}
