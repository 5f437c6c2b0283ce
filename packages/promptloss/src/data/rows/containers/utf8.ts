// Strict UTF-8: broken bytes are found and placed, never replaced.
import { isUtf8 } from "node:buffer";
import { RowProblem } from "../data-error.ts";

/** The text of `bytes`, or undefined where they are not UTF-8. */
export const decodeUtf8 = (bytes: Buffer): string | undefined =>
  isUtf8(bytes) ? bytes.toString("utf8") : undefined;

/** The offset of the first byte that can't be UTF-8; the length where the bytes end inside a character. */
export const brokenUtf8Offset = (bytes: Uint8Array): number => {
  // Whether a prefix is broken never changes back as it grows, so the shortest broken one can be bisected.
  const broken = (length: number): boolean => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return false;
    } catch {
      return true;
    }
  };
  if (!broken(bytes.length)) return bytes.length;
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (broken(middle)) bad = middle;
    else good = middle;
  }
  return bad - 1;
};

/** Decodes a row's bytes; `start` is their offset in the file's text. */
export const decodeRow = (bytes: Buffer, start: number): string => {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  const offset = brokenUtf8Offset(bytes);
  const found = bytes[offset] === undefined ? "an unfinished character" : hexByte(bytes[offset]);
  throw new RowProblem("invalid-utf8", `not UTF-8 at byte ${start + offset} of the text (${found})`, {
    hint: "Convert the file to UTF-8, for example with iconv.",
  });
};

const hexByte = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;
