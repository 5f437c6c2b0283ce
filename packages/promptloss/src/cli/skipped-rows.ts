// Bad rows as commands tell of them: counted by cause, and each listed where the user asks.
import { type SkipCounts, skippedLine } from "../data/skipped-rows.ts";

/** For `--verbose`: prints a bad row, by its message, on standard error. */
export const listSkipped = ({ message }: { readonly message: string }): void => {
  process.stderr.write(`left out: ${message}\n`);
};

/** The line of counts as notes to print: none where no row was left out. */
export const skippedNotes = (counts: SkipCounts, verbose: boolean): string[] => {
  const line = skippedLine(counts);
  return line === undefined ? [] : [`${line}${verbose ? "" : " (--verbose lists them)"}`];
};
