// Before a command computes for hours: whether its output can be written, and whether it would overwrite what it reads.
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { statOf } from "@promptloss/torch/files";
import { refusing } from "./atomic.ts";
import { OutputError, outputError } from "./errors.ts";

/** Something that a command reads. */
export interface Input {
  /** "the model", "data". */
  readonly what: string;
  readonly path: string;
  /** Whether a file that is put into it becomes part of it: a folder of data. */
  readonly grows?: boolean;
}

/**
 * Refuses outputs that would overwrite an input, symbolic links resolved: the same place, an input inside what is
 * written, or an output inside an input that grows by it.
 * @param written files and folders that are written or cleared
 * @throws {OutputError}
 */
export function protectInputs(written: readonly string[], inputs: readonly Input[]): void {
  for (const { what, path, grows = false } of inputs) {
    if (!existsSync(path)) continue;
    const input = realpathSync(path);
    for (const each of written) {
      const output = refusing(each, () => realPlace(each));
      const hint = "name another output; inputs are never written to";
      if (isInside(input, output) || isSameFile(input, output))
        throw new OutputError(each, `would overwrite ${what}, ${path}`, { hint });
      if (grows && isInside(output, input))
        throw new OutputError(each, `would be written into ${what}, ${path}`, { hint });
    }
  }
}

/**
 * Checks that a folder can be made and written to, without making it.
 * @throws {OutputError}
 */
export function checkOutputFolder(path: string): void {
  const found = refusing(path, () => statOf(path));
  if (found !== undefined && !found.isDirectory()) throw outputError(path, systemError("ENOTDIR"));
  checkPlace(path);
}

/**
 * Checks that a file can be written, its folder made where it is missing.
 * @throws {OutputError}
 */
export function checkOutputFile(path: string): void {
  const found = refusing(path, () => statOf(path));
  if (found?.isDirectory()) throw outputError(path, systemError("EISDIR"));
  // A device or a pipe has no folder that matters.
  if (found === undefined || found.isFile()) checkPlace(dirname(resolve(path)));
}

function checkPlace(folder: string): void {
  let place = resolve(folder);
  for (; refusing(folder, () => statOf(place)) === undefined; place = dirname(place));
  if (!statOf(place)?.isDirectory()) throw outputError(folder, systemError("ENOTDIR"));
  refusing(folder, () => accessSync(place, constants.W_OK | constants.X_OK));
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: "open" });
}

/** Where a path leads, though it does not exist yet: the real path of what exists of it, and the rest. */
function realPlace(path: string): string {
  const whole = resolve(path);
  if (statOf(whole) !== undefined) return realpathSync(whole);
  return dirname(whole) === whole ? whole : join(realPlace(dirname(whole)), basename(whole));
}

function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

/** Two names of one file: a hard link, or a file system that ignores case. */
function isSameFile(a: string, b: string): boolean {
  const [first, second] = [statOf(a), statOf(b)];
  return (
    first !== undefined &&
    second !== undefined &&
    first.ino === second.ino &&
    first.dev === second.dev &&
    first.ino !== 0
  );
}
