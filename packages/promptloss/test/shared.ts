// Finds the data and models that are not part of the repository: PROMPTLOSS_SHARED, or ../shared beside the
// repository's root. Tests that need them skip where they are missing.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a shared file or folder; undefined where it is missing. */
export function sharedPath(...parts: string[]): string | undefined {
  const root = process.env.PROMPTLOSS_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
  const path = join(root, ...parts);
  return existsSync(path) ? path : undefined;
}
