// Values in place of a file's: "training.epochs=1". The one way to set a key by its dotted path, for --set, for a study's
// `set` and for the levels of its factors.
import { type ConfigFailure, ConfigFileError } from "./errors.ts";
import { clipped, LIMITS } from "./limits.ts";
import { parseText } from "./parse-text.ts";

export interface Assignment {
  readonly path: readonly string[];
  readonly value: unknown;
  /** What gave it, for messages; "--set" where left out. */
  readonly setBy?: string;
}

/**
 * "a.b=c" → c, read as YAML, at a.b.
 * @throws {ConfigFileError} for text that is no assignment
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(at, 0)).trim().split(".");
  if (at < 0 || path.some((key) => key === "" || /\s/.test(key)))
    throw new ConfigFileError(
      "--set",
      [{ path: "", message: `${clipped(text)} is not an assignment`, line: undefined }],
      "write it as training.epochs=1",
    );
  const { value } = parseText(text.slice(at + 1), `--set ${clipped(path.join("."))}`, ConfigFileError);
  return { path, value };
}

type Plain = Record<string, unknown>;

/**
 * The value with one of its keys set; what leads there is made where it is missing. The value given is not changed.
 * @throws {ConfigFileError}, or `failure`, for a path that leads nowhere
 */
export function assign(
  target: unknown,
  assignment: Assignment,
  failure: ConfigFailure = ConfigFileError,
): unknown {
  const { path, value, setBy = "--set" } = assignment;
  const refuse = (depth: number, message: string): never => {
    throw new failure(setBy, [{ path: clipped(path.slice(0, depth).join(".")), message, line: undefined }]);
  };
  if (path.length > LIMITS.depth) refuse(1, `a path has at most ${LIMITS.depth} keys`);
  const setAt = (holder: unknown, depth: number): unknown => {
    const key = path[depth];
    if (key === undefined) return value;
    if (Array.isArray(holder)) {
      const index = Number(key);
      if (!/^\d+$/.test(key) || index > holder.length)
        refuse(depth + 1, `there is no such entry; the list has ${entries(holder.length)}, numbered from 0`);
      return holder.toSpliced(index, 1, setAt(holder[index], depth + 1));
    }
    if (holder !== undefined && holder !== null && typeof holder !== "object")
      refuse(depth, `is a single value, without a key ${clipped(key)}`);
    if (key === "__proto__") refuse(depth + 1, "there is no such key");
    const before = (holder ?? {}) as Plain;
    return { ...before, [key]: setAt(Object.hasOwn(before, key) ? before[key] : undefined, depth + 1) };
  };
  return setAt(target, 0);
}

function entries(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}
