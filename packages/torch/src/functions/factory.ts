// What all functions that make new tensors have in common; not part of the package's interface.

import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";
import type { TensorOptions } from "./creation.ts";

/** The tail of a factory's schema: dtype, layout, device, pin_memory. */
export function factoryTail({ dtype, device }: TensorOptions): [DType | null, null, string | null, null] {
  return [dtype ?? null, null, device ?? null, null];
}

export function withGrad(tensor: Tensor, { requiresGrad = false }: TensorOptions): Tensor {
  if (requiresGrad) tensor.requiresGrad = true;
  return tensor;
}
