// RMS norm: an operator of native/ops, which is one pass on the CPU and takes torch's fused operator elsewhere; plain operators
// for what it does not take.

import { operator } from "../dispatcher.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { to } from "./conversion.ts";
import { rsqrt, square } from "./pointwise.ts";
import { mean } from "./reduction.ts";
import { runsFused } from "./runs-fused.ts";

const native = operator<Tensor>("promptloss::rms_norm");

export interface RmsNormOptions {
  eps?: number;
  /** Added to the weight, 1 in Gemma; the result is then rounded once, after the weight, to the input's dtype. */
  weightOffset?: number;
}

/**
 * x / √(mean x² + eps) · weight over the last dimension, computed in float32 (Zhang and Sennrich, 2019). Without an
 * offset x is rounded to its dtype before it meets the weight, as in LLaMA. Under autocast on the CPU and on CUDA the result
 * has autocast's dtype. Differentiable once where the fused operator serves: float32 and bfloat16, on the CPU with a width
 * that is a multiple of 16, elsewhere float16 too.
 *
 * @param input [..., width]
 * @param weight [width], float32 or of the input's dtype
 * @returns [..., width]
 */
export function rmsNorm(input: Tensor, weight: Tensor, options: RmsNormOptions = {}): Tensor {
  const { eps = 1e-6, weightOffset = 0 } = options;
  if (serves(input, weight)) return native(input, weight, eps, weightOffset);
  return scope(() => {
    const { dtype } = input;
    const wide = dtype === "float64" ? input : to(input, { dtype: "float32" });
    const even = mul(wide, rsqrt(add(mean(square(wide), -1, { keepdim: true }), eps)));
    if (weightOffset === 0) return mul(to(even, { dtype }), weight);
    return to(mul(even, add(to(weight, { dtype: wide.dtype }), weightOffset)), { dtype });
  });
}

function serves(input: Tensor, weight: Tensor): boolean {
  const { dtype, device } = input;
  const fits =
    (weight.dtype === "float32" || weight.dtype === dtype) &&
    weight.device === device &&
    weight.shape.length === 1 &&
    weight.shape[0]! > 0 &&
    input.shape.at(-1) === weight.shape[0];
  return fits && runsFused(input, "RMS norm") && (device !== "cpu" || weight.shape[0]! % 16 === 0);
}
