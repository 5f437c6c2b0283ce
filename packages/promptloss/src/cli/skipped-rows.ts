// Bad rows as commands tell of them: counted by cause, and each listed where the user asks.
import type { DataError, RowReport } from "../data/rows/index.ts";

/** For `--verbose`: prints each bad row on standard error as it is left out. */
export const listSkipped = (error: DataError): void => {
  process.stderr.write(`left out: ${error.message}\n`);
};

/** "3 bad rows were left out: 2 empty-completion, 1 wrong-type"; undefined where none was. */
export const skippedLine = ({ skipped, skippedBy }: RowReport, verbose: boolean): string | undefined => {
  if (skipped === 0) return undefined;
  const causes = Object.entries(skippedBy).map(([cause, count]) => `${count} ${cause}`);
  const hint = verbose ? "" : " (--verbose lists them)";
  const rows = skipped === 1 ? "1 bad row was" : `${skipped.toLocaleString("en-US")} bad rows were`;
  return `${rows} left out: ${causes.join(", ")}${hint}`;
};
