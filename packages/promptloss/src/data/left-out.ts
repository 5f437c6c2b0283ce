// What reading left out, in words: rows by cause, and columns. The causes are a DataError's reasons, `template`, and a
// TokenRowError's reasons. Pure.
import type { SkippedRow } from "./tokens/index.ts";

/** How many rows each cause left out. */
export type SkipCounts = Readonly<Record<string, number>>;

/** What reading left out. */
export interface LeftOut {
  readonly skippedBy: SkipCounts;
  /** Columns that nothing reads, and, as `messages[].name`, such keys of messages. */
  readonly ignoredColumns: readonly string[];
  /** What else reading has to say, in lines. */
  readonly notes?: readonly string[];
}

export function countSkipped(rows: readonly SkippedRow[]): SkipCounts {
  const counts: Record<string, number> = {};
  for (const { cause } of rows) counts[cause] = (counts[cause] ?? 0) + 1;
  return counts;
}

export function addCounts(...counts: readonly SkipCounts[]): SkipCounts {
  const sum: Record<string, number> = {};
  for (const each of counts)
    for (const [cause, count] of Object.entries(each)) sum[cause] = (sum[cause] ?? 0) + count;
  return sum;
}

/** The cause that is no fault: data sets have such rows, and they are left out unless the user says otherwise. */
const EMPTY = "empty-completion";

/** Columns that a line names; of more, their number. */
const NAMED = 12;

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/**
 * A line for each kind of thing that was left out; none where nothing was. As "3 bad rows were left out: 2 wrong-type,
 * 1 template", "28 rows with an empty completion were left out", "not read: id, messages[].name".
 * @param more appended to the line of bad rows
 */
export function leftOutLines({ skippedBy, ignoredColumns, notes = [] }: LeftOut, more = ""): string[] {
  const { [EMPTY]: empty = 0, ...bad } = skippedBy;
  const causes = Object.entries(bad).filter(([, count]) => count > 0);
  const total = causes.reduce((sum, [, count]) => sum + count, 0);
  const lines = [...notes];
  if (total > 0) {
    const rows = total === 1 ? "1 bad row was" : `${number(total)} bad rows were`;
    const reasons = causes.map(([cause, count]) => `${number(count)} ${cause}`).join(", ");
    lines.push(`${rows} left out: ${reasons}${more}`);
  }
  if (empty > 0)
    lines.push(
      empty === 1
        ? "1 row with an empty completion was left out"
        : `${number(empty)} rows with an empty completion were left out`,
    );
  if (ignoredColumns.length > 0) {
    const rest = ignoredColumns.length - NAMED;
    const names = ignoredColumns.slice(0, NAMED).join(", ");
    lines.push(`not read: ${names}${rest > 0 ? `, and ${rest} more columns` : ""}`);
  }
  return lines;
}

/** The message of the first bad row; undefined where only empty completions were left out. */
export function firstBadRow(rows: readonly SkippedRow[]): string | undefined {
  return rows.find(({ cause }) => cause !== EMPTY)?.message;
}
