// What an object or a library was built from and by which command, kept beside it, so that the next run can tell
// whether it still holds. A file counts as unchanged by size and time, or, where the time differs, by content.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { replaceFile } from "../files/atomic.ts";

interface InputStamp {
  readonly size: number;
  readonly mtimeMs: number;
  /** SHA-256, hexadecimal; empty when the file changed while it was being compiled. */
  readonly hash: string;
}

interface Stamp {
  readonly command: readonly string[];
  readonly inputs: Readonly<Record<string, InputStamp>>;
}

function stampFile(output: string): string {
  return `${output}.stamp.json`;
}

/** Whether `output` exists and came from this command, and no input has changed since. */
export function isUpToDate(output: string, command: readonly string[]): boolean {
  if (!existsSync(output) || !existsSync(stampFile(output))) return false;
  let stamp: Stamp;
  try {
    stamp = JSON.parse(readFileSync(stampFile(output), "utf8")) as Stamp;
  } catch {
    return false;
  }
  if (JSON.stringify(stamp.command) !== JSON.stringify(command)) return false;
  return Object.entries(stamp.inputs).every(([path, input]) => isUnchanged(path, input));
}

function isUnchanged(path: string, input: InputStamp): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now === undefined || now.size !== input.size || input.hash === "") return false;
  return now.mtimeMs === input.mtimeMs || hashOf(path) === input.hash;
}

/** Records that `output` was just built. @param started when the build began, in ms since 1970. */
export function recordInputs(
  output: string,
  command: readonly string[],
  inputs: readonly string[],
  started: number,
): void {
  const entries = inputs.map((path): [string, InputStamp] => {
    const { size, mtimeMs } = statSync(path);
    // 1 ms of grace: the clock's resolution, and less than a compiler takes to open its first file.
    return [path, { size, mtimeMs, hash: mtimeMs > started + 1 ? "" : hashOf(path) }];
  });
  replaceFile(stampFile(output), JSON.stringify({ command, inputs: Object.fromEntries(entries) }));
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The files that a compiler's `-MMD` output names after its colon. Spaces in paths are escaped by a backslash. */
export function parseDependencies(text: string): string[] {
  const afterTarget = text.replaceAll("\\\n", " ").replace(/^.*?:\s/s, "");
  const names = afterTarget.match(/(?:\\.|[^\s\\])+/g) ?? [];
  return names.map((name) => name.replaceAll(/\\(.)/g, "$1").replaceAll("$$", "$"));
}
