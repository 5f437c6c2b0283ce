// silu(gate) · up, the inside of SwiGLU: an operator of native/ops, one pass on the CPU.

import { operator } from "../dispatcher.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { silu } from "./pointwise.ts";
import { runsFused } from "./runs-fused.ts";

const native = operator<Tensor>("promptloss::silu_mul");

/**
 * silu(gate) · up (Shazeer, 2020). Differentiable once for float32 and bfloat16, which the CPU's kernel rounds once.
 * On other devices silu(gate) is not kept but computed again for the gradient.
 *
 * @param gate any shape
 * @param up of gate's shape and dtype
 */
export function siluMul(gate: Tensor, up: Tensor): Tensor {
  if (up.dtype === gate.dtype && runsFused(gate, "SiLU times up")) return native(gate, up);
  return scope(() => mul(silu(gate), up));
}
