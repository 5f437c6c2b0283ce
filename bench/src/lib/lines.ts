// How a worker talks to its bench: lines of JSON, read while the loop that is measured stands still.
import { readSync, writeSync } from "node:fs";

/** Blocks until a line comes; undefined at the end of input. */
export function readLine(): string | undefined {
  const byte = Buffer.alloc(1);
  const bytes: number[] = [];
  while (readSync(0, byte) === 1) {
    if (byte[0] === 10) return Buffer.from(bytes).toString("utf8");
    bytes.push(byte[0]!);
  }
  return undefined;
}

export function answer(value: object): void {
  writeSync(1, `${JSON.stringify(value)}\n`);
}
