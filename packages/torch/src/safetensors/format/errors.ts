// What can be wrong with a safetensors file.

import { TorchError, type TorchErrorOptions } from "../../errors.ts";

/** Why a file was refused. */
export type SafetensorsReason =
  | "missing"
  | "truncated"
  | "header"
  | "pointer"
  | "dtype"
  | "shape"
  | "offsets"
  | "unknown-tensor"
  | "unsupported-dtype"
  | "index"
  | "write";

/** A safetensors file or folder that can't be read or written. */
export class SafetensorsError extends TorchError {
  readonly path: string;
  readonly reason: SafetensorsReason;
  /** The tensor concerned, where it is one. */
  readonly tensor: string | undefined;

  constructor(
    path: string,
    reason: SafetensorsReason,
    message: string,
    options: TorchErrorOptions & { tensor?: string } = {},
  ) {
    const { tensor, ...rest } = options;
    super(`${path}: ${tensor === undefined ? "" : `tensor ${JSON.stringify(tensor)}: `}${message}`, rest);
    this.path = path;
    this.reason = reason;
    this.tensor = tensor;
  }
}
