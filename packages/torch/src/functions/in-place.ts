// Operators that write to their first tensor and return it. Inside the autograd graph they record what they did;
// a leaf that requires gradients can only be written under noGrad.

import { inPlaceOperator, operator } from "../dispatcher.ts";
import { type Scalar, Tensor } from "../tensor.ts";
import type { AlphaOptions, ValueOptions } from "./arithmetic.ts";
import type { ClampBounds } from "./pointwise.ts";

const native = {
  addTensor: inPlaceOperator("aten::add_.Tensor"),
  addScalar: inPlaceOperator("aten::add_.Scalar"),
  subTensor: inPlaceOperator("aten::sub_.Tensor"),
  subScalar: inPlaceOperator("aten::sub_.Scalar"),
  mulTensor: inPlaceOperator("aten::mul_.Tensor"),
  mulScalar: inPlaceOperator("aten::mul_.Scalar"),
  divTensor: inPlaceOperator("aten::div_.Tensor"),
  divScalar: inPlaceOperator("aten::div_.Scalar"),
  addcmul: inPlaceOperator("aten::addcmul_"),
  addcdiv: inPlaceOperator("aten::addcdiv_"),
  lerp: inPlaceOperator("aten::lerp_.Scalar"),
  zero: inPlaceOperator("aten::zero_"),
  fill: inPlaceOperator("aten::fill_.Scalar"),
  copy: inPlaceOperator("aten::copy_"),
  clamp: inPlaceOperator("aten::clamp_"),
  sqrt: inPlaceOperator("aten::sqrt_"),
  exp: inPlaceOperator("aten::exp_"),
  maskedFill: inPlaceOperator("aten::masked_fill_.Scalar"),
  indexAdd: inPlaceOperator("aten::index_add_"),
  foreachAdd: operator<undefined>("aten::_foreach_add_.List"),
  foreachMul: operator<undefined>("aten::_foreach_mul_.Scalar"),
  foreachZero: operator<undefined>("aten::_foreach_zero_"),
};

/** input += alpha · other. */
export function add_(input: Tensor, other: Tensor | Scalar, { alpha = 1 }: AlphaOptions = {}): Tensor {
  return other instanceof Tensor
    ? native.addTensor(input, other, alpha)
    : native.addScalar(input, other, alpha);
}

/** input −= alpha · other. */
export function sub_(input: Tensor, other: Tensor | Scalar, { alpha = 1 }: AlphaOptions = {}): Tensor {
  return other instanceof Tensor
    ? native.subTensor(input, other, alpha)
    : native.subScalar(input, other, alpha);
}

/** input ·= other. */
export function mul_(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.mulTensor(input, other) : native.mulScalar(input, other);
}

/** input /= other, of floats. */
export function div_(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.divTensor(input, other) : native.divScalar(input, other);
}

/** input += value · a · b. */
export function addcmul_(input: Tensor, a: Tensor, b: Tensor, { value = 1 }: ValueOptions = {}): Tensor {
  return native.addcmul(input, a, b, value);
}

/** input += value · a / b. */
export function addcdiv_(input: Tensor, a: Tensor, b: Tensor, { value = 1 }: ValueOptions = {}): Tensor {
  return native.addcdiv(input, a, b, value);
}

/** input += weight · (end − input). */
export function lerp_(input: Tensor, end: Tensor, weight: number): Tensor {
  return native.lerp(input, end, weight);
}

/** Zeros everywhere. */
export function zero_(input: Tensor): Tensor {
  return native.zero(input);
}

/** `value` everywhere. */
export function fill_(input: Tensor, value: Scalar): Tensor {
  return native.fill(input, value);
}

/** The elements of `source` (broadcast, converted). */
export function copy_(input: Tensor, source: Tensor): Tensor {
  return native.copy(input, source);
}

/** Elements below `min` become `min`, above `max` become `max`. */
export function clamp_(input: Tensor, { min, max }: ClampBounds = {}): Tensor {
  return native.clamp(input, min ?? null, max ?? null);
}

/** √x. */
export function sqrt_(input: Tensor): Tensor {
  return native.sqrt(input);
}

/** e^x. */
export function exp_(input: Tensor): Tensor {
  return native.exp(input);
}

/** `value` where the mask holds. */
export function maskedFill_(input: Tensor, mask: Tensor, value: Scalar): Tensor {
  return native.maskedFill(input, mask, value);
}

/** The slices of `source` added at positions `index` of `dim`. */
export function indexAdd_(input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  return native.indexAdd(input, dim, index, source);
}

/** tensors[i] += alpha · others[i], all in one call. */
export function foreachAdd_(
  tensors: readonly Tensor[],
  others: readonly Tensor[],
  { alpha = 1 }: AlphaOptions = {},
): void {
  native.foreachAdd(tensors, others, alpha);
}

/** tensors[i] ·= factor, all in one call. */
export function foreachMul_(tensors: readonly Tensor[], factor: number): void {
  native.foreachMul(tensors, factor);
}

/** tensors[i] = 0, all in one call. */
export function foreachZero_(tensors: readonly Tensor[]): void {
  native.foreachZero(tensors);
}
