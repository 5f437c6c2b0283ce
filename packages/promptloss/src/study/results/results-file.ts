// A study's results on disk: results.jsonl and results.csv, the same rows, and study.json, which says what their
// columns are. Written whole each time, so that a reader never meets half a table.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../files/atomic.ts";
import type { Cell } from "../../statistics/index.ts";
import { StudyError } from "../errors.ts";
import { readTable } from "../table/table-file.ts";
import { type AnalysisSettings, analysisSettings } from "./analysis.ts";
import { columnsOf, flatten, type ResultRow, type ResultsHeader, unflatten } from "./result-row.ts";

export interface StudyResults extends ResultsHeader {
  readonly rows: readonly ResultRow[];
  /** With what settings each task was evaluated; undefined where the file does not say. */
  readonly tasks?: readonly {
    readonly task: string;
    readonly options: Readonly<Record<string, unknown>>;
    /** The hash of all that decides on a score; undefined in tables of before there was one. */
    readonly address?: string;
  }[];
  /** How the study file wants its results modeled. */
  readonly analysis: AnalysisSettings;
  /** Cells that the study has, finished or not. */
  readonly cells: number;
}

const names = { header: "study.json", lines: "results.jsonl", csv: "results.csv" } as const;

/** The files that a study's results lie in. */
export function resultsFiles(folder: string): string[] {
  return Object.values(names).map((name) => join(folder, name));
}

/** The rows as the two tables that a study's folder holds. */
export function resultsTables(results: StudyResults): { readonly jsonl: string; readonly csv: string } {
  const { rows, ...header } = results;
  const flat = rows.map((row) => flatten(row, header));
  const columns = columnsOf(header);
  const cells = [columns, ...flat.map((row) => columns.map((name) => row[name]))];
  return {
    jsonl: flat.map((row) => `${JSON.stringify(row)}\n`).join(""),
    csv: cells.map((line) => `${line.map(csvCell).join(",")}\n`).join(""),
  };
}

/**
 * Writes the three files into a study's folder.
 * @param kept one more folder for what `readStudyResults` reads
 */
export function writeStudyResults(folder: string, results: StudyResults, kept?: string): void {
  const { rows: _rows, ...header } = results;
  const { jsonl, csv } = resultsTables(results);
  for (const place of [folder, ...(kept === undefined ? [] : [kept])]) {
    replaceFile(join(place, names.header), `${JSON.stringify(header, null, 2)}\n`);
    replaceFile(join(place, names.lines), jsonl);
  }
  replaceFile(join(folder, names.csv), csv);
}

/**
 * Reads the results of a study so far from its folder, for models and reports.
 * @throws {StudyError} where no results lie there
 * @example
 * ```ts
 * import { readStudyResults } from "promptloss";
 *
 * const { rows } = readStudyResults("runs/study");
 * console.log(`${rows.length} scores of ${new Set(rows.map(({ cell }) => cell)).size} cells`);
 * ```
 */
export function readStudyResults(folder: string): StudyResults {
  const path = join(folder, names.header);
  const lines = join(folder, names.lines);
  if (!existsSync(path) || !existsSync(lines))
    throw new StudyError(`${folder}: there are no results of a study`, {
      hint: "give the study's output folder, after promptloss study run",
    });
  let header: Omit<StudyResults, "rows">;
  try {
    const found = JSON.parse(readFileSync(path, "utf8")) as Omit<StudyResults, "rows">;
    header = { ...found, analysis: analysisSettings(found.analysis) };
  } catch (cause) {
    throw new StudyError(`${path}: ${(cause as Error).message}`, { cause });
  }
  const empty = readFileSync(lines, "utf8").trim() === "";
  const rows = empty ? [] : readTable(lines).map((row) => unflatten(row, header));
  return { ...header, rows };
}

/** RFC 4180: quotes around what holds a comma, a quote or a line's end. */
function csvCell(cell: Cell): string {
  const text = cell === null || cell === undefined ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
