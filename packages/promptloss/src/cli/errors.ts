// Errors as a user sees them, on standard error: lines for a person, one JSON object under --json.
import { harmlessJson, ink } from "../terminal/index.ts";

/** Told by the command line itself: an error can come before its options are parsed. */
function asJson(): boolean {
  return process.argv.includes("--json") || process.argv.includes("--events");
}

/** An error's message and hint; the stack only of what is a bug. */
export function printError(error: unknown): void {
  const { name, message, hint, stack } = error as Partial<Error> & { hint?: string };
  const known = error instanceof Error && "hint" in error;
  const text = known ? message! : error instanceof Error ? (stack ?? message!) : String(error);
  if (asJson()) {
    const said = { name: name ?? "Error", message: text, ...(hint !== undefined && { hint }) };
    process.stderr.write(`${harmlessJson({ error: said })}\n`);
    return;
  }
  process.stderr.write(errorLines(text, hint));
}

/** An error for a person: one line that begins with "error:", at most one that begins with "hint:", all others indented. */
export function errorLines(message: string, hint?: string): string {
  const lines = [`${ink.red("error:")} ${indented(message)}`];
  if (hint !== undefined) lines.push(`${ink.dim("hint:")} ${indented(hint)}`);
  return lines.map((line) => `${line}\n`).join("");
}

/** A line break may come from a name in the message, and what follows it must not pass for a line of ours. */
function indented(text: string): string {
  return text.replaceAll(/\r?\n(?=\S)/g, "\n  ");
}

/** Of the parser of the command line, whose text begins with "error: ". */
export function printUsageError(text: string, write: (text: string) => void): void {
  if (!asJson()) {
    write(text);
    return;
  }
  const message = text.trim().replace(/^error: /, "");
  write(`${harmlessJson({ error: { name: "UsageError", message } })}\n`);
}
