// Studies: factors → cells → runs → a tidy table → models.
export { StudyError, StudyFileError, TableFileError } from "./errors.ts";
export {
  type EvaluationRequest,
  type Evaluator,
  type Evaluators,
  evaluators,
  type TaskScore,
} from "./evaluate/index.ts";
export { type RunStudyOptions, type RunStudySummary, runStudy, type StudyEvent } from "./launch/run-study.ts";
export {
  type QueuedCell,
  type SubmitOptions,
  type SubmittedJob,
  slurmStatus,
  submitStudy,
} from "./launch/slurm.ts";
export type { Cell as StudyCell } from "./plan/cell.ts";
export { PAPER_WEIGHTS, weightsByWp } from "./plan/grids.ts";
export { measureSpeed } from "./plan/measure-speed.ts";
export { type CellPlan, type PlanOptions, planStudy, type StudyPlan } from "./plan/plan.ts";
export { type ReadStudyOptions, readStudy, type Study, type StudyTask } from "./plan/read-study.ts";
export type { StudySettings } from "./plan/schema.ts";
export * from "./results/index.ts";
export type { CellFailure, CellState, CellStatus } from "./run/cell-place.ts";
export { collectResults, writeResults } from "./run/collect-results.ts";
export { type CellReport, type StudyStatus, studyStatus } from "./run/status.ts";
export { readTable } from "./table/table-file.ts";
export * from "./tune/index.ts";
