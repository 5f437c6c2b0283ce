// Writes a study's report beside its results. The chart library is loaded here, when there is something to draw.
import { join } from "node:path";
import { replaceFile } from "../files/atomic.ts";
import type { AnalysisSettings } from "../study/results/analysis.ts";
import { readStudyResults, type StudyResults } from "../study/results/results-file.ts";
import { version } from "../version.ts";
import { type ReportCell, readReportCells } from "./content/report-cells.ts";
import { type StudyContent, studyContent } from "./content/study-content.ts";

export interface StudyReportOptions {
  /** The file; `report.html` in the study's folder where left out. */
  readonly output?: string;
  /** In place of those that lie in the folder. */
  readonly results?: StudyResults;
  /** Cells that the study has, where its file is known; those that lie in the folder where left out. */
  readonly cells?: readonly Pick<ReportCell, "id" | "levels" | "recipe">[];
  /** In place of those that the study file gave. */
  readonly settings?: AnalysisSettings;
  /** The day that is printed; today's where left out. */
  readonly date?: Date;
}

export interface StudyReport {
  /** Of the HTML file. */
  readonly path: string;
  readonly content: StudyContent;
}

/**
 * Writes the report of a study's results as one HTML file that needs no network.
 * @param folder the study's output
 * @throws {StudyError} where no results lie there
 * @example
 * ```ts
 * import { writeStudyReport } from "promptloss";
 *
 * const { path } = await writeStudyReport("runs/study", { output: "report.html" });
 * console.log(path);
 * ```
 */
export async function writeStudyReport(
  folder: string,
  options: StudyReportOptions = {},
): Promise<StudyReport> {
  const { output = join(folder, "report.html"), date = new Date() } = options;
  const results = options.results ?? readStudyResults(folder);
  const content = studyContent(results, readReportCells(folder, options.cells), options.settings);
  const { renderReport } = await import("./render-report.ts");
  replaceFile(output, renderReport(content, { date, version }).page);
  return { path: output, content };
}
