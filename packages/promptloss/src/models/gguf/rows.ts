// Bytes of a file and rows of matrices, as reading and writing GGUF files both take them.
import { readSync } from "node:fs";
import { GgufError } from "./format/errors.ts";

/** @throws {GgufError} where the file ends before */
export function readBytes(file: number, path: string, begin: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const count = readSync(file, buffer, done, length - done, begin + done);
    if (count === 0) throw new GgufError(path, "became shorter while it was read");
    done += count;
  }
  return buffer;
}

/** [rows, columns] → [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column]!;
  return out;
}
