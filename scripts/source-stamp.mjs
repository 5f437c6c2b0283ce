// Whether sources have changed since something was made of them.
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";

/** One hash over path, size and time of files below `root`. */
export function sourceStamp(root, paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/** The files of a folder and its folders, tests left out, in an order that is the same everywhere. */
export function sourcesIn(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name).slice(root.length + 1))
    .map((path) => path.split(sep).join("/"))
    .sort();
}
