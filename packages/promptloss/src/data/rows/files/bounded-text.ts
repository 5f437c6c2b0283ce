// Small texts of a dataset folder, which come from whoever made it: a data card of gigabytes is not read.
import { readFile, stat } from "node:fs/promises";
import { DataError } from "../data-error.ts";

/** Cards of datasets with thousands of configurations have about a million bytes. */
export const MOST_TEXT_BYTES = 8 << 20;

/**
 * @param name as errors call the file
 * @throws {DataError} for one that is too large
 */
export async function readBoundedText(path: string, name: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MOST_TEXT_BYTES)
    throw new DataError("unreadable", `has ${size} bytes, and at most ${MOST_TEXT_BYTES} are read of it`, {
      file: name,
      hint: "shorten the file; its YAML at the top is all that is looked at",
    });
  return readFile(path, "utf8");
}
