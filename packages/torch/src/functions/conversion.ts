// Copies, and the same elements in another dtype or on another device.

import { operator } from "../dispatcher.ts";
import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

const native = {
  clone: operator("aten::clone"),
  detach: operator("aten::detach"),
  toDtype: operator("aten::to.dtype"),
  toDevice: operator("aten::to.device"),
};

/** A copy in memory of its own; gradients flow through it. */
export function clone(input: Tensor): Tensor {
  return native.clone(input);
}

/** A view of the same memory that the autograd graph does not know. */
export function detach(input: Tensor): Tensor {
  return native.detach(input);
}

export interface ConversionOptions {
  dtype?: DType;
  device?: string;
  /** Copy also where nothing changes. */
  copy?: boolean;
}

/** The tensor in another dtype or on another device; a view of it where nothing changes. Gradients flow through. */
export function to(input: Tensor, { dtype, device, copy = false }: ConversionOptions = {}): Tensor {
  if (device === undefined) return native.toDtype(input, dtype ?? input.dtype, false, copy);
  return native.toDevice(input, device, dtype ?? input.dtype, false, copy);
}

/** As float32. */
export function float(input: Tensor): Tensor {
  return native.toDtype(input, "float32");
}

/** As float64. */
export function double(input: Tensor): Tensor {
  return native.toDtype(input, "float64");
}

/** As bfloat16. */
export function bfloat16(input: Tensor): Tensor {
  return native.toDtype(input, "bfloat16");
}

/** As int64. */
export function long(input: Tensor): Tensor {
  return native.toDtype(input, "int64");
}

/** As bool: true where the element is not 0. */
export function bool(input: Tensor): Tensor {
  return native.toDtype(input, "bool");
}

/** On the CPU. */
export function cpu(input: Tensor): Tensor {
  return to(input, { device: "cpu" });
}
