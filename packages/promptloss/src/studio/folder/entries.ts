// How the studio looks through its folder: it follows no links, and looks into no folder whose name begins with a dot.
import { type Dirent, readdirSync } from "node:fs";

/** None for a folder that is gone, or that may not be read. */
export function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** The folders among entries that are looked into. */
export function foldersAmong(entries: readonly Dirent[]): string[] {
  return entries.flatMap((entry) =>
    entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules" ? [entry.name] : [],
  );
}

/** The path below the studio's folder of what lies at a path below a place; the folder itself has no name. */
export function below(name: string, path: string): string {
  return name === "" ? path : `${name}/${path}`;
}
