// A small text file whole: strict UTF-8 without its mark, with the errors that data files have.
import { readFileSync } from "node:fs";
import { hasBom } from "./containers/bytes.ts";
import { refuseForeign } from "./containers/container.ts";
import { brokenUtf8Offset, decodeUtf8 } from "./containers/utf8.ts";
import { DataError } from "./data-error.ts";

/**
 * @param name the file as the user named it
 * @throws {DataError} for bytes that are no UTF-8 text, saying what they are where that is known
 */
export function decodeText(bytes: Buffer, name: string): string {
  refuseForeign(bytes, name);
  const text = hasBom(bytes) ? bytes.subarray(3) : bytes;
  const decoded = decodeUtf8(text);
  if (decoded !== undefined) return decoded;
  throw new DataError("invalid-utf8", `not UTF-8 at byte ${brokenUtf8Offset(text)} of the text`, {
    file: name,
    hint: "Convert the file to UTF-8, for example with iconv.",
  });
}

/** @throws {DataError} where the file can't be read, or is no UTF-8 text */
export function readTextFile(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new DataError("missing-file", "no such file", { file: path, cause });
    if (code === "EISDIR")
      throw new DataError("directory", "a folder where a file was expected", { file: path });
    throw new DataError("unreadable", `can't be read: ${message}`, { file: path, cause });
  }
  return decodeText(bytes, path);
}
