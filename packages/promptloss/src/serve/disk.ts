// What files and jobs take up on the disk, together.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ServeError } from "./errors.ts";

/** Bytes of a folder's files. What vanishes meanwhile counts nothing. */
export function bytesIn(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}

/** @throws {ServeError} 400 where so many more would be more than the limit */
export function checkDisk(folder: string, more: number, limit: number): void {
  const held = bytesIn(folder);
  if (held + more > limit)
    throw new ServeError(400, `files and jobs take up ${held} bytes, and ${limit} are the most`, {
      code: "disk_limit",
      hint: "delete files, or models of jobs",
    });
}
