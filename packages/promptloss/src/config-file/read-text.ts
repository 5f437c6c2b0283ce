// The text of a file of settings, as far as it may be long, with what the system refuses said in words.
import { closeSync, openSync, readSync } from "node:fs";
import { whyNot } from "@promptloss/torch/files";
import { LIMITS } from "./limits.ts";

const CHUNK = 1 << 16;

/** @throws {Error} with a message for the user */
export function readText(file: string): string {
  const bytes = readBytes(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("is not UTF-8 text");
  }
}

/** No more than the limit, so that a device or a pipe without end is refused too. */
function readBytes(file: string): Buffer {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (cause) {
    throw new Error(whyNot(cause), { cause });
  }
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK);
      const count = readSync(handle, chunk, 0, CHUNK, null);
      if (count === 0) return Buffer.concat(chunks);
      size += count;
      if (size > LIMITS.bytes) throw new Error(`is larger than ${LIMITS.bytes / 1024} KiB`);
      chunks.push(chunk.subarray(0, count));
    }
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === undefined ? cause : new Error(whyNot(cause), { cause });
  } finally {
    closeSync(handle);
  }
}
