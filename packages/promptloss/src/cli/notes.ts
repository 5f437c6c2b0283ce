// Notes, which every command shows alike: what a user should know, and what stops nothing.
import { columnsOf, ink, wrapped } from "../terminal/index.ts";

/** Wrapped before it is colored: colors take no room. */
export function noteLine(note: string, out: NodeJS.WriteStream): string {
  return wrapped(`! ${note}`, columnsOf(out)).replace("!", ink.yellow("!"));
}

/** As a note, with what to do about it. @param before what it is of, where several things go on */
export function warningLine(
  { message, hint }: { readonly message: string; readonly hint?: string },
  out: NodeJS.WriteStream,
  before = "",
): string {
  return noteLine(`${before}${message}${hint === undefined ? "" : `; ${hint}`}`, out);
}

/** On standard error: results on standard output stay as they are. */
export function printNotes(notes: readonly string[]): void {
  for (const note of notes) process.stderr.write(`${noteLine(note, process.stderr)}\n`);
}
