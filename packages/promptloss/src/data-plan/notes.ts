// What reading, tokenizing and weighing found, in lines for a person. Pure.
import { addCounts, countSkipped, firstBadRow, leftOutLines } from "../data/left-out.ts";
import type { TokenizationReport, WeightedRowsReport } from "../data/tokens/index.ts";

/** One line each: warnings, what the overflow policy did, rows that were left out by cause with an example. */
export function notesOf(tokenized: TokenizationReport, weighed: WeightedRowsReport): string[] {
  return [
    ...tokenized.warnings,
    ...weighed.warnings,
    ...overflowNotes(weighed),
    ...leftOutNotes(tokenized, weighed),
  ];
}

function overflowNotes({ overflow }: WeightedRowsReport): string[] {
  const parts = [
    [overflow.dropped, "row too long was dropped", "rows too long were dropped"],
    [overflow.promptCut, "prompt was cut", "prompts were cut"],
    [overflow.completionCut, "completion was cut", "completions were cut"],
    [
      overflow.noRoom,
      "row was left out, as its completion alone is too long",
      "rows were left out, as their completions alone are too long",
    ],
    [overflow.tokensCut, "token was cut in all", "tokens were cut in all"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`);
}

/** What reading, the template or the weights left out, with the first bad row as an example. */
function leftOutNotes(
  { skipped, skippedBy, ignoredColumns }: TokenizationReport,
  weighed: WeightedRowsReport,
): string[] {
  const counts = addCounts(skippedBy, countSkipped(weighed.skipped));
  const example = firstBadRow([...skipped, ...weighed.skipped]);
  return leftOutLines({ skippedBy: counts, ignoredColumns }, example === undefined ? "" : `; ${example}`);
}
