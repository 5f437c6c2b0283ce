// Evaluation: tasks on a model, their scores and records.
export { type CompareOptions, type Comparison, compareEvaluations } from "./compare/compare.ts";
export { EvaluationError, ScoringError, TaskDataError, TaskFileError } from "./errors.ts";
export { type Bleu, type BleuOptions, corpusBleu } from "./metrics/bleu.ts";
export { rougeL, rougeLsum, rougeN } from "./metrics/rouge.ts";
export { tokenize13a } from "./metrics/tokenize-13a.ts";
export { tokenizeIntl, tokenizeNone } from "./metrics/tokenize-intl.ts";
export { evaluate } from "./run/evaluate.ts";
export { readRecords, readScores } from "./run/records.ts";
export type {
  EvaluateEvent,
  EvaluateOptions,
  EvaluateResult,
  EvaluationRecord,
  EvaluationScore,
  EvaluationSettings,
  LoadedModel,
} from "./run/types.ts";
export { builtinTasks, type EvaluationTask, loadTask } from "./tasks/index.ts";
