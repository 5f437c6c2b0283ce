// Why a place can't be written to, in words a user can act on.
import { dirname } from "node:path";
import { statOf, whyNotWritten } from "@promptloss/torch/files";
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** A file or folder that can't be written. */
export class OutputError extends PromptlossError {
  readonly path: string;

  constructor(path: string, message: string, options: PromptlossErrorOptions = {}) {
    super(`${path}: ${message}`, options);
    this.path = path;
  }
}

/** What the system's error means for a place that was to be written. */
export function outputError(path: string, cause: unknown): OutputError {
  if (cause instanceof OutputError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  const file = fileInTheWay(path);
  if (file !== undefined && ["ENOTDIR", "EEXIST", "ENOENT"].includes(code ?? ""))
    return new OutputError(
      path,
      `${file === path ? "is a file" : `${file} is a file`}, and a folder is needed`,
      {
        cause,
        hint: "name another output, or move the file away",
      },
    );
  const { reason, hint } = whyNotWritten(cause);
  return new OutputError(path, reason, { cause, hint });
}

/** The part of a path that is a file where a folder should be; undefined where there is none. */
function fileInTheWay(path: string): string | undefined {
  for (let place = path; ; place = dirname(place)) {
    const found = statOf(place);
    if (found?.isDirectory()) return undefined;
    if (found !== undefined) return place;
    if (dirname(place) === place) return undefined;
  }
}
