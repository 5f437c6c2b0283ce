// A pass over a text stream that ends it with an error at the first byte that isn't UTF-8, by line and offset.
import { isUtf8 } from "node:buffer";
import { DataError } from "../data-error.ts";
import { brokenUtf8Offset, unfinishedLength } from "./utf8.ts";

/** Gives the chunks on, cut between characters. @throws {DataError} at a broken one */
export async function* checkedUtf8(
  chunks: AsyncIterable<Buffer>,
  file: string,
): AsyncGenerator<Buffer, void> {
  let carried = Buffer.alloc(0);
  let offset = 0;
  let line = 1;
  for await (const chunk of chunks) {
    const bytes = carried.length === 0 ? chunk : Buffer.concat([carried, chunk]);
    const end = bytes.length - unfinishedLength(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) throw broken(whole);
    carried = Buffer.from(bytes.subarray(end));
    offset += end;
    line += countLines(whole);
    if (whole.length > 0) yield whole;
  }
  if (carried.length > 0) throw broken(carried);

  function broken(bytes: Buffer): DataError {
    const at = brokenUtf8Offset(bytes);
    const onLine = line + countLines(bytes.subarray(0, at));
    return new DataError("invalid-utf8", `not UTF-8 at byte ${offset + at} of the text, on line ${onLine}`, {
      file,
      hint: "Convert the file to UTF-8, for example with iconv.",
    });
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
