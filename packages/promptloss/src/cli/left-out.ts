// What reading left out as commands tell of it: in lines of counts, and each row where the user asks.
import { type LeftOut, leftOutLines } from "../data/left-out.ts";

/** For `--verbose`: prints a bad row, by its message, on standard error. */
export function listSkipped({ message }: { readonly message: string }): void {
  process.stderr.write(`left out: ${message}\n`);
}

/** Lines to print as notes: none where nothing was left out. */
export function leftOutNotes(leftOut: LeftOut, verbose: boolean): string[] {
  return leftOutLines(leftOut, verbose ? "" : " (--verbose lists them)");
}
