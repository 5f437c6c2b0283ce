// The table of results that is kept beside a study file: what it has of a cell need not be computed again, on whatever
// machine it was.
import { existsSync } from "node:fs";
import { groupedBy } from "../results/grouped.ts";
import type { ResultRow } from "../results/result-row.ts";
import { readStudyResults, resultsFiles } from "../results/results-file.ts";

export interface KeptResults {
  readonly folder: string;
  /** Rows by cell id: of cells that have a score in every task of the study, with the task's settings of now. */
  readonly cells: ReadonlyMap<string, readonly ResultRow[]>;
}

/**
 * @param tasks of the study
 * @throws {StudyError} for a table that can't be read
 */
export function readKeptResults(
  folder: string,
  tasks: readonly { readonly task: string; readonly address: string }[],
): KeptResults {
  const there = resultsFiles(folder).some((file) => existsSync(file));
  if (!there) return { folder, cells: new Map() };
  const results = readStudyResults(folder);
  const addresses = new Set(results.tasks?.map(({ address }) => address));
  if (!tasks.every(({ address }) => addresses.has(address))) return { folder, cells: new Map() };
  const cells = groupedBy(results.rows, ({ cell }) => cell);
  for (const [id, rows] of cells)
    if (!tasks.every(({ task }) => rows.some((row) => row.task === task))) cells.delete(id);
  return { folder, cells };
}
