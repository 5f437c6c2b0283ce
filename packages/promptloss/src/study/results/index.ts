// A study's results: the tidy table, its models, and what they say to a recommendation. Pure.
export { type AnalysisSettings, analysisSettings } from "./analysis.ts";
export { type EvidenceQuestion, studyEvidence } from "./choice-evidence.ts";
export {
  type FitScope,
  type FitStudyOptions,
  fitStudy,
  type StudyFit,
  type StudyFits,
  type StudyInteraction,
  type StudySurface,
} from "./fit-study.ts";
export { fitsToJson } from "./fits-json.ts";
export type { FactorValue, ResultRow, ResultsHeader } from "./result-row.ts";
export { readStudyResults, type StudyResults, writeStudyResults } from "./results-file.ts";
export type { Beside } from "./scope-model.ts";
export { modelRow, type ScoredRow, type UsableRow, usableRows } from "./scored-rows.ts";
