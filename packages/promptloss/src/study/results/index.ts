// A study's results: the tidy table, its models, and what they say to a recommendation. Pure.
export { type AnalysisSettings, analysisSettings } from "./analysis.ts";
export { type EvidenceQuestion, studyEvidence } from "./choice-evidence.ts";
export {
  type FitScope,
  fitStudy,
  type StudyFit,
  type StudyFits,
  type StudySurface,
} from "./fit-study.ts";
export { fitsToJson } from "./fits-json.ts";
export type { FactorValue, ResultRow, ResultsHeader } from "./result-row.ts";
export { readStudyResults, type StudyResults, writeStudyResults } from "./results-file.ts";
export { modelRow, type ScoredRow, type ScoredRows, scoredRows } from "./scored-rows.ts";
