// Tokens: examples in, frozen rows of ids, classes and weights out.
export {
  CLASS_CODE,
  type ClassifiedRows,
  type ClassifiedTokens,
  countClasses,
} from "./classified-tokens.ts";
export { TokenRowError, WeightError } from "./errors.ts";
export {
  cutRange,
  type Fit,
  fitTokens,
  OVERFLOW_POLICIES,
  type OverflowOptions,
  type OverflowPolicy,
} from "./overflow.ts";
export {
  type Corruption,
  corrupted,
  hasSeveralCompletions,
  PROMPT_OBJECTIVES,
  type PromptObjective,
  promptLength,
} from "./prompt-objective.ts";
export { type SavedTemplate, savedTemplate } from "./saved-template.ts";
export type { SkippedRow, TokenizationReport } from "./tokenization-report.ts";
export { ExampleTokenizer, encodePrompt, type TokenizeOptions } from "./tokenize.ts";
export {
  type ResolvedWeightPolicy,
  resolveWeightPolicy,
  type TokenWeightContext,
  type WeightPolicy,
  weighTokens,
} from "./weight-policy.ts";
export { type WeightProblem, weightProblems } from "./weight-range.ts";
export { WeightedRows, type WeightedRowsOptions, type WeightedRowsReport } from "./weighted-rows.ts";
export { concatenate, WeightedTokens, type WeightedTokensFields } from "./weighted-tokens.ts";
