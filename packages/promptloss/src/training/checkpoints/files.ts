// Files of a checkpoint: hashed when written and when read, and put on the disk before they count.
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync, writeFileSync } from "node:fs";

const CHUNK_BYTES = 4 << 20;

/** SHA-256 of a file in hex. */
export const hashOf = (path: string): string => {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk))
      hash.update(chunk.subarray(0, count));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
};

/** Makes what was written to a file or folder survive a power cut. */
export const flush = (path: string): void => {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** Writes a file and flushes it. */
export const writeFlushed = (path: string, text: string): void => {
  writeFileSync(path, text);
  flush(path);
};
