// Rows of any text as JSON lines, without those that can't be used: what a job's training file is.
import { detectContainer } from "../../data/rows/containers/container.ts";
import { readRows } from "../../data/rows/containers/rows.ts";
import { type EmptyCompletions, readExamples } from "../../data/rows/index.ts";
import { jsonTextOf } from "../../data/rows/json-source.ts";
import { DEFAULT_LIMITS } from "../../data/rows/raw-row.ts";
import { type RowsText, withRowsFile } from "./rows-text.ts";

export interface JsonLines {
  readonly text: string;
  readonly rows: number;
}

/**
 * The rows that reading does not refuse, each on a line, with the numbers and the order of keys that the text has.
 * @throws {ServeError} 400 where none is left
 */
export async function jsonLinesOf(
  rows: RowsText,
  { emptyCompletions }: { readonly emptyCompletions: EmptyCompletions },
): Promise<JsonLines> {
  return withRowsFile(rows, async ({ source }) => {
    const usable = new Set<number>();
    for await (const example of readExamples(source, { onBadRow: "skip", emptyCompletions }))
      usable.add(example.source.row);
    const file = { path: source.path, name: source.path };
    const container = await detectContainer(file, source.container);
    const lines: string[] = [];
    const counters = { blankLines: 0 };
    for await (const batch of readRows(file, container, { limits: DEFAULT_LIMITS, counters }))
      for (const { row, value } of batch)
        if (value !== undefined && usable.has(row)) lines.push(`${jsonTextOf(value)}\n`);
    return { text: lines.join(""), rows: lines.length };
  });
}
