// @promptloss/torch: libtorch for Node.
import "./autograd/gradient.ts";
import "./methods.ts";

export * from "./autograd/backward.ts";
export * from "./autograd/custom-function.ts";
export * from "./autograd/gradcheck.ts";
export * from "./autograd/modes.ts";
export { tryDevice } from "./devices/trial.ts";
export {
  hasOperator,
  ops,
  type RawOperator,
  type RawOperators,
  type RawPacket,
  type Value,
} from "./dispatcher.ts";
export { type DType, itemSize, type TypedArray, type TypedArrayOf } from "./dtype.ts";
export * from "./errors.ts";
export * from "./functions/index.ts";
export * from "./profile.ts";
export * from "./runtime.ts";
export * from "./safetensors/index.ts";
export { keep, memory, Scope, scope } from "./scope.ts";
export { type ItemOf, type NestedArray, type Scalar, Tensor } from "./tensor.ts";
