// The norm of many tensors as one vector, from the library of native/ops.

import { hasOperator, operator } from "../dispatcher.ts";
import { ArgumentError } from "../errors.ts";
import { scope } from "../scope.ts";
import { shown } from "../shown.ts";
import type { Tensor } from "../tensor.ts";
import { to } from "./conversion.ts";
import { zeros } from "./creation.ts";
import { isLibraryWay } from "./library-ways.ts";
import { norm } from "./reduction.ts";
import { stack } from "./shape.ts";

const native = operator<number>("promptloss::total_norm");
const each = operator<Tensor[]>("aten::_foreach_norm.Scalar");

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

/**
 * The same as a tensor of no dimensions on their device, which is not waited for: summed in their own dtype, so it may
 * differ from `totalNorm` by its rounding. Not differentiable.
 *
 * @param tensors floating point, on one device
 * @param device where a norm of none is
 * @returns float32
 */
export function totalNormTensor(tensors: readonly Tensor[], device: string): Tensor {
  if (!Array.isArray(tensors))
    throw new ArgumentError(`totalNormTensor: expected tensors in an array, got ${shown(tensors)}`, {
      argument: "tensors",
      expected: "an array",
      received: typeof tensors,
    });
  return scope(() => {
    if (tensors.length === 0) return zeros([], { device });
    const foreach = isLibraryWay("foreach norm") && hasOperator("aten::_foreach_norm.Scalar");
    const norms = foreach ? each(tensors, 2) : tensors.map((tensor) => norm(tensor));
    return norm(stack(norms.map((one) => to(one, { dtype: "float32" }))));
  });
}
