// The product's writes: whole or as before, and what the system refuses is an OutputError with path, cause and hint.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import * as files from "@promptloss/torch/files";
import { outputError } from "./errors.ts";

export { draftOf, flush, isDraft, removeDrafts, restoreFolders } from "@promptloss/torch/files";

/**
 * Makes a folder and those above it.
 * @throws {OutputError} where a file is in the way, or the system refuses
 */
export function makeFolder(path: string): void {
  refusing(path, () => files.makeFolder(path));
}

/**
 * Writes a file, in place of one that is there; makes its folder.
 * @param content the content, or a function that writes it to the open file
 * @throws {OutputError}; what was there before is intact then
 */
export function replaceFile(path: string, content: files.FileContent | ((file: number) => void)): void {
  makeFolder(dirname(path));
  refusing(path, () => files.replaceFile(path, content));
}

/**
 * As {@link replaceFile}, for writers that take a path and their time.
 * @throws {OutputError} for what the system refuses; what `write` throws beside that is thrown on
 */
export async function replaceFileWith(path: string, write: (draft: string) => Promise<void>): Promise<void> {
  makeFolder(dirname(path));
  try {
    await files.replaceFileWith(path, write);
  } catch (error) {
    throw isSystemError(error) ? outputError(path, error) : error;
  }
}

/**
 * Writes a folder, in place of one that is there.
 * @param write fills the draft folder
 * @throws {OutputError} for what the system refuses; what `write` throws beside that is thrown on
 */
export function replaceFolder(path: string, write: (draft: string) => void): void {
  makeFolder(dirname(path));
  refusing(path, () => files.replaceFolder(path, write));
}

/** Writes a value as JSON, in place of a file that is there. @throws {OutputError} */
export function writeJson(path: string, value: unknown): void {
  replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** A JSON file that this program wrote; undefined where there is none, or where it is damaged. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError || code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Does something to a place; what the system refuses becomes an OutputError. */
export function refusing<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw isSystemError(error) ? outputError(path, error) : error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
