// Bounds what token caches take on disk: those that nobody opened for long go, and beyond a size the oldest.
import { readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { statOf } from "@promptloss/torch/files";

export interface TidyOptions {
  /** Days without use after which a cache goes. */
  readonly days?: number;
  /** The most that all caches may take, in bytes. */
  readonly bytes?: number;
}

/** A cache used within so many seconds stays, whatever it takes. */
const IN_USE_SECONDS = 3600;

/** Says that a cache was used now: its time decides when it goes. */
export function markUsed(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Another user's cache, or one that is gone.
  }
}

/** Removes caches that are too old, then the oldest while all take too much. Readers of a removed one go on reading. */
export function tidyTokenCaches(folder: string, options: TidyOptions = {}): void {
  tidyCaches(folder, "tokens", options);
}

/** The same for files of another kind: those whose names are 32 hexadecimal digits and the extension. */
export function tidyCaches(
  folder: string,
  extension: string,
  { days = 30, bytes = 20e9 }: TidyOptions = {},
): void {
  const caches = readdirSync(folder)
    .filter((name) => /^[0-9a-f]{32}$/.test(name.slice(0, 32)) && name.slice(32) === `.${extension}`)
    .flatMap((name) => {
      const path = join(folder, name);
      const found = statOf(path);
      return found === undefined
        ? []
        : [{ path, size: found.size, age: (Date.now() - found.mtimeMs) / 1000 }];
    })
    .sort((a, b) => a.age - b.age);
  let total = 0;
  for (const { path, size, age } of caches) {
    total += size;
    const useless = age > days * 86_400 || total > bytes;
    if (!useless || age < IN_USE_SECONDS) continue;
    rmSync(path, { force: true });
    total -= size;
  }
}
