// Small JSON files that several processes read: written whole under another name, then put in place.
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

export const writeJson = (path: string, value: unknown): void => {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(draft, path);
};
