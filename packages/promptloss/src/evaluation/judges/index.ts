// Judges: pairs of outputs in, win rates out.
export { readRanking } from "./alpaca-eval.ts";
export { type EndpointJudgeOptions, endpointJudge } from "./endpoint-judge.ts";
export { JudgeError } from "./errors.ts";
export type { Judge } from "./judge.ts";
export {
  type JudgedPair,
  type JudgePairsOptions,
  type Judgment,
  judgePairs,
  PROTOCOLS,
} from "./judge-pairs.ts";
export type { JudgeSettings } from "./judge-settings.ts";
export {
  type JudgedLengths,
  type LengthControlled,
  lengthControlledWinRate,
} from "./length-control.ts";
export { type ModelJudgeOptions, modelJudge } from "./model-judge.ts";
export { type OpenedJudge, openJudge } from "./open-judge.ts";
export { type OutputPair, type OutputRow, pairOutputs, readOutputs } from "./pairs.ts";
export type { JudgeRequest, Verdict } from "./protocol.ts";
export { PROTOCOL_NAMES, type ProtocolName } from "./protocol.ts";
export { type WinRate, winRate } from "./win-rate.ts";
