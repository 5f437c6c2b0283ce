// Generation: prompts in, continuations out.
export { BatchEngine, type BatchEngineOptions, type EngineCounts } from "./decoding/batch-engine.ts";
export type { TokenConstraint } from "./decoding/constraint.ts";
export { GenerationError } from "./errors.ts";
export { generate } from "./generate.ts";
export { type SchemaGrammar, schemaGrammar, TokenMasks, TokenTree } from "./grammar/index.ts";
export type { GenerateOptions } from "./options.ts";
export { Conversation, type ConversationOptions } from "./text/conversation.ts";
export { Detokenizer } from "./text/detokenizer.ts";
export type { GenerationDefaults } from "./text/generation-config.ts";
export { MaskShelf } from "./text/mask-shelf.ts";
export type { ChatTurn, TextPrompt, ToolMessage } from "./text/prompts.ts";
export type { TextPiece } from "./text/sequence-text.ts";
export { StopStrings } from "./text/stop-strings.ts";
export {
  type GeneratedText,
  type LoadTextGeneratorOptions,
  type TextGenerationOptions,
  TextGenerator,
  type TextGeneratorOptions,
  type TextResult,
} from "./text/text-generator.ts";
export {
  AutoCalls,
  type CallForm,
  callMark,
  callsGrammar,
  checkedCallForm,
  readCalls,
  type ToolFunction,
} from "./text/tool-calls.ts";
export type {
  Candidate,
  FinishReason,
  GeneratedSequence,
  StopCriterion,
  TokenEvent,
  TokenLogProbability,
} from "./types.ts";
