// Bad rows as commands tell of them: counted by cause, and each listed where the user asks.
import type { DataError } from "../data/rows/index.ts";
import { type SkipCounts, skippedLine } from "../data/skipped-rows.ts";
import type { SkippedRow } from "../data/tokens/index.ts";

/** For `--verbose`: prints each bad row on standard error as it is left out. */
export const listSkipped = (error: DataError | SkippedRow): void => {
  process.stderr.write(`left out: ${error.message}\n`);
};

/** The line of counts as notes to print: none where no row was left out. */
export const skippedNotes = (counts: SkipCounts, verbose: boolean): string[] => {
  const line = skippedLine(counts);
  return line === undefined ? [] : [`${line}${verbose ? "" : " (--verbose lists them)"}`];
};
