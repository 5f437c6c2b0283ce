// The thread that makes a study's analysis: results of a folder → parts of the report, and all of it.
import { parentPort, workerData } from "node:worker_threads";
import { PromptlossError } from "../../errors.ts";
import { readReportCells } from "../../report/content/report-cells.ts";
import { studyContent } from "../../report/content/study-content.ts";
import { renderReport } from "../../report/render-report.ts";
import { readStudyResults } from "../../study/results/results-file.ts";
import { readCellList } from "../../study/run/cell-list.ts";
import { version } from "../../version.ts";
import type { AnalysisMessage, AnalysisOrder } from "./analysis.ts";

function analysed({ folder }: AnalysisOrder): AnalysisMessage {
  try {
    const cells = readReportCells(folder, readCellList(folder).cells);
    const content = studyContent(readStudyResults(folder), cells);
    const { sections, page } = renderReport(content, { date: new Date(), version });
    const bodyOf = (id: string): string => sections.find((each) => each.id === id)!.body.text;
    return { made: { verdict: bodyOf("verdict"), scores: bodyOf("scores"), page } };
  } catch (error) {
    if (error instanceof PromptlossError) return { refused: error.message };
    throw error;
  }
}

parentPort!.postMessage(analysed(workerData as AnalysisOrder));
