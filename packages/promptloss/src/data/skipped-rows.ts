// Rows that were left out, by cause, in words. The causes are a DataError's reasons, `template`, and a TokenRowError's
// reasons. Pure.
import type { SkippedRow } from "./tokens/index.ts";

/** How many rows each cause left out. */
export type SkipCounts = Readonly<Record<string, number>>;

export const countSkipped = (rows: readonly SkippedRow[]): SkipCounts => {
  const counts: Record<string, number> = {};
  for (const { cause } of rows) counts[cause] = (counts[cause] ?? 0) + 1;
  return counts;
};

export const addCounts = (...counts: readonly SkipCounts[]): SkipCounts => {
  const sum: Record<string, number> = {};
  for (const each of counts)
    for (const [cause, count] of Object.entries(each)) sum[cause] = (sum[cause] ?? 0) + count;
  return sum;
};

/** "3 bad rows were left out: 2 empty-completion, 1 wrong-type"; undefined where none was. */
export const skippedLine = (counts: SkipCounts): string | undefined => {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const causes = Object.entries(counts).map(([cause, count]) => `${count.toLocaleString("en-US")} ${cause}`);
  const rows = total === 1 ? "1 bad row was" : `${total.toLocaleString("en-US")} bad rows were`;
  return `${rows} left out: ${causes.join(", ")}`;
};
