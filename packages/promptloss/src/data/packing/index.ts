// Packing: which rows go together, and the arrays that a step of training takes.
export { checkPlan, type PackOptions, type PackPlan, planPacks } from "./best-fit.ts";
export { PackingError } from "./errors.ts";
export { IGNORE_INDEX, PackedTokens, type ShiftedTargets } from "./packed-tokens.ts";
