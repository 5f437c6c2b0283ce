// Small files that several processes read: written whole under another name, then put in place.
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Undefined where there is no such file, or where it is no JSON. */
export const readJson = <T>(path: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

export const writeJson = (path: string, value: unknown): void =>
  replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);

/** Whole or as it was, whoever else writes the same file, on this machine or on another. */
export const replaceFile = (path: string, text: string): void => {
  const draft = `${path}.${randomUUID()}.new`;
  writeFileSync(draft, text);
  renameSync(draft, path);
};
