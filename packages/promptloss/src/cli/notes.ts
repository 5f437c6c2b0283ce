// Notes, which every command shows alike: what a user should know, and what stops nothing.
import { columnsOf, ink, wrapped } from "../terminal/index.ts";

/** Wrapped before it is colored: colors take no room. */
export function noteLine(note: string, out: NodeJS.WriteStream): string {
  return wrapped(`! ${note}`, columnsOf(out)).replace("!", ink.yellow("!"));
}

/** On standard error: results on standard output stay as they are. */
export function printNotes(notes: readonly string[]): void {
  for (const note of notes) process.stderr.write(`${noteLine(note, process.stderr)}\n`);
}
