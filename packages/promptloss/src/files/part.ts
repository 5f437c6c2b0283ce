// A part of a file that others may write or remove meanwhile.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** Another number where another file has taken its place. */
  readonly inode: number;
}

/**
 * @param choose which bytes are read; fewer come where the file has become shorter
 * @returns undefined where there is no file that can be opened
 */
export function readPart(
  path: string,
  choose: (file: FileFacts) => { readonly from: number; readonly length: number },
): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size, ino } = fstatSync(file);
    const { from, length } = choose({ size, inode: ino });
    const part = Buffer.alloc(length);
    return part.subarray(0, readSync(file, part, 0, length, from));
  } finally {
    closeSync(file);
  }
}
