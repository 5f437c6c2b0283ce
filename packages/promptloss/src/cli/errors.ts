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
  process.stderr.write(`${ink.red("error:")} ${text}\n`);
  if (hint !== undefined) process.stderr.write(`${ink.dim("hint:")} ${hint}\n`);
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
