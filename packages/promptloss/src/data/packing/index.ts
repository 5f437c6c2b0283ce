// Packing and batching: which rows go together, and the arrays that a step of training takes.
export { type BatchOptions, type BatchPlan, planBatches } from "./batches.ts";
export { checkPlan, type PackOptions, type PackPlan, planPacks } from "./best-fit.ts";
export { PackingError } from "./errors.ts";
export { PackedTokens } from "./packed-tokens.ts";
export { PaddedBatch } from "./padded-batch.ts";
export { IGNORE_INDEX, type ShiftedTargets } from "./token-block.ts";
