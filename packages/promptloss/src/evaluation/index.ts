// Evaluation: tasks on a model, their scores and records.
export { type CompareOptions, type Comparison, compareEvaluations } from "./compare/compare.ts";
export { EvaluationError, ScoringError, TaskDataError, TaskFileError } from "./errors.ts";
export * from "./judges/index.ts";
export { type Bleu, type BleuOptions, bleuOf, bleuStatistics, corpusBleu } from "./metrics/bleu.ts";
export { type ChrfOptions, chrfOf, chrfStatistics, corpusChrf } from "./metrics/chrf.ts";
export { rougeL, rougeLsum, rougeN } from "./metrics/rouge.ts";
export { sumStatistics } from "./metrics/sum-statistics.ts";
export { corpusTer, terOf, terStatistics } from "./metrics/ter.ts";
export { tokenize13a } from "./metrics/tokenize-13a.ts";
export { tokenizeIntl, tokenizeNone } from "./metrics/tokenize-intl.ts";
export { type BuildItemsOptions, buildItems, type TaskItems } from "./requests/build-items.ts";
export type { ChoiceItem, GenerationItem, LikelihoodItem, ScoredPair } from "./requests/item.ts";
export { evaluate } from "./run/evaluate.ts";
export { readRecords, readScores } from "./run/records.ts";
export type {
  EvaluateEvent,
  EvaluateOptions,
  EvaluateResult,
  EvaluationRecord,
  EvaluationScore,
  EvaluationSettings,
  ItemRequest,
  LoadedModel,
} from "./run/types.ts";
export { type OwnEvaluation, writeEvaluation } from "./run/write-evaluation.ts";
export { type EncodedPair, encodePairs } from "./scoring/encode-pairs.ts";
export { type LogLikelihood, type LogLikelihoodOptions, logLikelihoods } from "./scoring/log-likelihoods.ts";
export { type ScoredSequence, sequenceOf } from "./scoring/sequences.ts";
export {
  builtinTasks,
  type EvaluationTask,
  EXAMPLE_ORDERS,
  type ExampleOrder,
  loadTask,
} from "./tasks/index.ts";
