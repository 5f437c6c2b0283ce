// Dataset folders and file patterns on disk.
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import picomatch from "picomatch";
import type { DataFile } from "../containers/bytes.ts";
import { readBoundedText } from "./bounded-text.ts";
import type { DatasetFolder } from "./choose-files.ts";

/** All files below `path`; hidden ones and what is in hidden folders are left out. */
export async function listFolder(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(path, sep).length))
    .map((file) => file.split(sep).join("/"))
    .filter((file) => !file.split("/").some((name) => name.startsWith(".")))
    .sort();
}

export async function localFolder(path: string): Promise<DatasetFolder> {
  return {
    name: path,
    paths: await listFolder(path),
    readText: (file) => readBoundedText(join(path, file), `${path}/${file}`),
  };
}

export function isPattern(path: string): boolean {
  return picomatch.scan(path).isGlob;
}

/** The files that match a pattern, sorted. */
export async function matchFiles(pattern: string): Promise<DataFile[]> {
  const { base, glob } = picomatch.scan(pattern.split(sep).join("/"));
  const isMatch = picomatch(glob);
  const names = await listFolder(base || ".").catch(() => []);
  return names
    .filter((name) => isMatch(name))
    .map((name) => {
      const path = base === "" ? name : join(base, name);
      return { path, name: path };
    });
}
