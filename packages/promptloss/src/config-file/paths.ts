// Paths in files of settings: taken from beside the file where they exist there, as they stand elsewhere (hub ids, paths
// from the working folder).
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** @param folder that the file lies in */
export function placedPath(path: string, folder: string): string {
  if (isAbsolute(path)) return path;
  const local = join(folder, path);
  return existsSync(local) ? local : path;
}

/**
 * An object with the path at some keys placed; where there is none, as it is.
 * @param keys lead to the path, one within the other
 */
export function placedAt<T extends Readonly<Record<string, unknown>>>(
  value: T,
  keys: readonly string[],
  folder: string,
): T {
  return changedAt(value, keys, (path) => placedPath(path, folder));
}

/**
 * An object with the text at some keys changed; where there is none, as it is.
 * @param keys lead to the text, one within the other
 */
export function changedAt<T extends Readonly<Record<string, unknown>>>(
  value: T,
  [key, ...rest]: readonly string[],
  change: (text: string) => string,
): T {
  if (key === undefined || !Object.hasOwn(value, key)) return value;
  const held = value[key];
  if (rest.length === 0) return typeof held === "string" ? { ...value, [key]: change(held) } : value;
  if (typeof held !== "object" || held === null || Array.isArray(held)) return value;
  return { ...value, [key]: changedAt(held as Readonly<Record<string, unknown>>, rest, change) };
}
