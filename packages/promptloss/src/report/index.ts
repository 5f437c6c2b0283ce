// Reports: a study's results as one HTML file.
export type { ReportCell } from "./content/report-cells.ts";
export type { Benchmark, Series as ReportSeries, StudyContent } from "./content/study-content.ts";
export { type StudyReport, type StudyReportOptions, writeStudyReport } from "./write-report.ts";
