// Generation: prompts in, continuations out.
export { contextLength } from "./decoding/prompt.ts";
export { GenerationError } from "./errors.ts";
export { generate } from "./generate.ts";
export type { GenerateOptions } from "./options.ts";
export type {
  Candidate,
  FinishReason,
  GeneratedSequence,
  StopCriterion,
  TokenEvent,
  TokenLogProbability,
} from "./types.ts";
