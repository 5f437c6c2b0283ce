// The norm of many tensors as one vector, from the library of native/ops.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<number>("promptloss::total_norm");

/**
 * The L2 norm over all elements of all `tensors`, 0 for none: √Σ x², summed in float64 whatever the dtypes. Not
 * differentiable.
 *
 * @param tensors floating point or complex, of any shapes and on any devices
 * @throws {OperatorError} for integers
 */
export function totalNorm(tensors: readonly Tensor[]): number {
  return native(tensors);
}
