// Slow, obviously right float64 references of the fused operators, in plain TypeScript: what the native code is held
// to. Nothing here is native.

export { ReferenceArgumentError } from "./errors.ts";
export {
  DYNAMIC_MAP,
  expandNormalFloat,
  NORMAL_FLOATS,
  normalFloatRowBytes,
  quantizeNormalFloat,
} from "./normal-float.ts";
export {
  type WeightedCrossEntropyGradients,
  type WeightedCrossEntropyInputs,
  type WeightedCrossEntropyOptions,
  type WeightedCrossEntropyResult,
  weightedCrossEntropy,
} from "./weighted-cross-entropy.ts";
