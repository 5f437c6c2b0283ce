// Strict UTF-8: broken bytes are found and placed, never replaced.
import { isUtf8 } from "node:buffer";
import { RowProblem } from "../data-error.ts";

/** The text of `bytes`, or undefined where they are not UTF-8. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** The offset at which the first character begins that is broken, or that the bytes end inside. */
export function brokenUtf8Offset(bytes: Uint8Array): number {
  // Whether a prefix is broken never changes back as it grows, so the shortest broken one can be bisected.
  const broken = (length: number): boolean => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return false;
    } catch {
      return true;
    }
  };
  if (!broken(bytes.length)) return bytes.length - unfinishedLength(bytes);
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (broken(middle)) bad = middle;
    else good = middle;
  }
  return good - unfinishedLength(bytes.subarray(0, good));
}

/** Bytes at the end that start a character without finishing it: 0 to 3. */
export function unfinishedLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      // These begin no character.
      if (byte < 0xc2 || byte > 0xf4) return 0;
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

/** Decodes a row's bytes; `start` is their offset in the file's text. */
export function decodeRow(bytes: Buffer, start: number): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  const offset = brokenUtf8Offset(bytes);
  const found =
    unfinishedLength(bytes) === bytes.length - offset ? "an unfinished character" : hexByte(bytes[offset]!);
  throw new RowProblem("invalid-utf8", `not UTF-8 at byte ${start + offset} of the text (${found})`, {
    hint: "Convert the file to UTF-8, for example with iconv.",
  });
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
