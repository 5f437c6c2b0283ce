// Why a place can't be written to, in words a user can act on.
import { dirname } from "node:path";
import { statOf } from "@promptloss/torch/files";
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** A file or folder that can't be written. */
export class OutputError extends PromptlossError {
  readonly path: string;

  constructor(path: string, message: string, options: PromptlossErrorOptions = {}) {
    super(`${path}: ${message}`, options);
    this.path = path;
  }
}

const REASONS: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  EACCES: ["you may not write here", "name another output, or change the rights of the folder"],
  EPERM: ["you may not write here", "name another output, or change the rights of the folder"],
  EROFS: ["the file system is read-only", "name an output on another file system"],
  ENOSPC: ["the disk is full", "free some space and run the same command again"],
  EDQUOT: ["your disk quota is used up", "free some space and run the same command again"],
  EFBIG: ["the file is larger than the system allows", "free some space, or raise the limit (ulimit -f)"],
  ENOENT: ["the system makes no file or folder here", "name another output, on an ordinary file system"],
  EISDIR: ["is a folder, and a file is to be written", "name a file"],
  ENAMETOOLONG: ["the name is too long", "name a shorter output"],
  ELOOP: ["symbolic links lead in a circle", "name another output"],
  EMFILE: ["too many files are open", "raise the limit (ulimit -n)"],
};

/** What the system's error means for a place that was to be written. */
export function outputError(path: string, cause: unknown): OutputError {
  if (cause instanceof OutputError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
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
  const [reason, hint] = REASONS[code ?? ""] ?? [`can't be written: ${message}`, undefined];
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
