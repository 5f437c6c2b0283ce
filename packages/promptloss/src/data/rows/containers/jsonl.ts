// JSON lines: one object a line, blank lines passed over and counted. A row's number is its line's number, so
// that an editor finds it. A broken line is a bad row; the lines after it are read.
import { RowProblem } from "../data-error.ts";
import type { RawRow, ReadCounters, ReadLimits, RowBatches } from "../raw-row.ts";
import { hasSeveralValues, parseJsonRow } from "./json-text.ts";
import { isBlank, type Line, readLines } from "./lines.ts";
import { rowTooLarge } from "./row-size.ts";

export async function* readJsonLines(
  chunks: AsyncIterable<Buffer>,
  limits: ReadLimits,
  counters: ReadCounters,
  lineEnd?: number,
): RowBatches {
  for await (const lines of readLines(chunks, limits.maxRowBytes, lineEnd)) {
    const rows: RawRow[] = [];
    for (const line of lines) {
      if (line.bytes !== undefined && isBlank(line.bytes)) counters.blankLines++;
      else rows.push(parseLine(line, limits.maxRowBytes));
    }
    if (rows.length > 0) yield rows;
  }
}

function parseLine(line: Line, maxRowBytes: number): RawRow {
  if (line.bytes === undefined) return { row: line.number, problem: rowTooLarge(line.length, maxRowBytes) };
  try {
    return { row: line.number, value: parseJsonRow(line.bytes, line.start) };
  } catch (error) {
    const problem = severalValues(line.bytes, error as RowProblem) ?? (error as RowProblem);
    if (problem !== error) return { row: line.number, problem };
    return { row: line.number, problem: line.ended ? problem : unended(problem, line) };
  }
}

/** A last line that has no end and doesn't parse was most likely cut off with the file. */
function unended(problem: RowProblem, line: Line): RowProblem {
  return problem.reason === "invalid-json" || problem.reason === "invalid-utf8"
    ? new RowProblem(
        "truncated",
        `the file ends in the middle of this row, at byte ${line.start + line.length} (${problem.message})`,
        { hint: "The file is cut off: fetch it again." },
      )
    : problem;
}

/** Values end to end: whole, but no line each. */
function severalValues(bytes: Buffer, { reason }: RowProblem): RowProblem | undefined {
  if (reason !== "invalid-json" || !hasSeveralValues(bytes)) return undefined;
  return new RowProblem("invalid-json", "several JSON values end to end on one line", {
    hint: "Write a line for each, for example with: jq -c . FILE > NEW.jsonl",
  });
}
