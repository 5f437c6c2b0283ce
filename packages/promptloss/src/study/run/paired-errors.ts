// Sampling errors of scores for comparisons of cells that answered the same items, from the records that their evaluations
// left: what all cells of a block find hard is no error of a difference.
import { join } from "node:path";
import { checkPaired } from "../../evaluation/compare/compare.ts";
import { EvaluationError } from "../../evaluation/errors.ts";
import { mean } from "../../evaluation/metrics/spread.ts";
import { readRecords } from "../../evaluation/run/records.ts";
import type { EvaluationRecord } from "../../evaluation/run/types.ts";
import { pairedErrors } from "../../statistics/index.ts";
import { evaluationFolder } from "../evaluate/evaluator.ts";
import { groupedBy } from "../results/grouped.ts";
import type { ResultRow } from "../results/result-row.ts";
import type { StudyResults } from "../results/results-file.ts";
import { blocks } from "../results/scored-rows.ts";

/**
 * The results with `pairedError` wherever a score is the mean of its items' and another cell of its block answered the same
 * items; corpus scores, as BLEU is one, have none.
 * @param output the study's folder
 */
export function withPairedErrors(results: StudyResults, output: string): StudyResults {
  const found = new Map<ResultRow, number>();
  const scores = results.rows.filter(({ value }) => Number.isFinite(value));
  for (const [task, own] of groupedBy(scores, (row) => row.task)) {
    const records = new Map(
      [...new Set(own.map(({ cell }) => cell))].flatMap((cell) => {
        const of = recordsOf(output, cell, task);
        return of === undefined ? [] : [[cell, of] as const];
      }),
    );
    const blockOf = blocks(own);
    for (const rows of groupedBy(own, (row) => JSON.stringify([row.metric, blockOf(row)])).values())
      for (const [row, error] of errorsOf(rows, task, records)) found.set(row, error);
  }
  return {
    ...results,
    rows: results.rows.map((row) => {
      const pairedError = found.get(row);
      return pairedError === undefined ? row : { ...row, pairedError };
    }),
  };
}

/** Undefined where the task left none, as one that a run or a program scores. */
function recordsOf(output: string, cell: string, task: string): EvaluationRecord[] | undefined {
  try {
    return readRecords(evaluationFolder(join(output, "cells", cell, "run")), task);
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}

/** Of the rows of one metric in one block. */
function errorsOf(
  rows: readonly ResultRow[],
  task: string,
  records: ReadonlyMap<string, readonly EvaluationRecord[]>,
): (readonly [ResultRow, number])[] {
  const known = rows.flatMap((row) => {
    const own = records.get(row.cell);
    const values = own?.map(({ metrics }) => metrics[row.metric] ?? Number.NaN);
    // Records of other settings, and scores that are no means, are not what the row is of.
    return values !== undefined && isMean(row.value, values) ? [{ row, own: own!, values }] : [];
  });
  const [first] = known;
  if (first === undefined) return [];
  try {
    for (const { own } of known) checkPaired(task, first.own, own);
  } catch (error) {
    if (error instanceof EvaluationError) return [];
    throw error;
  }
  const errors = pairedErrors(known.map(({ values }) => values)) ?? [];
  return errors.map((error, k) => [known[k]!.row, error] as const);
}

function isMean(value: number, values: readonly number[]): boolean {
  return Math.abs(mean(values) - value) < 1e-9 * Math.max(1, Math.abs(value));
}
