// silu(gate) · up, the inside of SwiGLU: one pass of native/ops on the CPU, torch's operators elsewhere.

import { operator } from "../dispatcher.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { fusedKernels } from "./fused.ts";
import { silu } from "./pointwise.ts";

const native = operator<Tensor>("promptloss::silu_mul");

/**
 * silu(gate) · up (Shazeer, 2020). Differentiable once where the CPU's own kernel serves: float32 and bfloat16, which is
 * rounded once there.
 *
 * @param gate any shape
 * @param up of gate's shape and dtype
 */
export function siluMul(gate: Tensor, up: Tensor): Tensor {
  const { dtype, device } = gate;
  const own = device === "cpu" && (dtype === "float32" || dtype === "bfloat16") && up.dtype === dtype;
  if (own && fusedKernels()) return native(gate, up);
  return scope(() => mul(silu(gate), up));
}
