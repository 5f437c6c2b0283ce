// Which tensors the fused operators of native/ops take; not part of the package's interface.

import type { Tensor } from "../tensor.ts";
import { type FusedKernel, fusedKernels } from "./fused.ts";

/**
 * Whether operators that serve every device take a tensor like this one: on the CPU by their kernels, elsewhere by torch's
 * operators with a derivative of their own.
 */
export function runsFused({ device, dtype }: Tensor, kernel: FusedKernel): boolean {
  const isNarrow = dtype === "float32" || dtype === "bfloat16";
  return device === "cpu" ? isNarrow && fusedKernels(kernel) : isNarrow || dtype === "float16";
}
