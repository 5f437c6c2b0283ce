// Arithmetic between tensors, or a tensor and a number. Shapes broadcast, dtypes promote, as in PyTorch.

import { operator } from "../dispatcher.ts";
import { isFloatingPoint } from "../dtype.ts";
import { scope } from "../scope.ts";
import { type Scalar, Tensor } from "../tensor.ts";
import { eq, where } from "./comparison.ts";
import { to } from "./conversion.ts";
import { full } from "./creation.ts";
import { maskedFill } from "./indexing.ts";
import { neg } from "./pointwise.ts";

const native = {
  addTensor: operator("aten::add.Tensor"),
  addScalar: operator("aten::add.Scalar"),
  subTensor: operator("aten::sub.Tensor"),
  subScalar: operator("aten::sub.Scalar"),
  mulTensor: operator("aten::mul.Tensor"),
  mulScalar: operator("aten::mul.Scalar"),
  divTensor: operator("aten::div.Tensor_mode"),
  divScalar: operator("aten::div.Scalar_mode"),
  remainderTensor: operator("aten::remainder.Tensor"),
  remainderScalar: operator("aten::remainder.Scalar"),
  powTensor: operator("aten::pow.Tensor_Tensor"),
  powScalar: operator("aten::pow.Tensor_Scalar"),
  addcmul: operator("aten::addcmul"),
  addcdiv: operator("aten::addcdiv"),
  lerpScalar: operator("aten::lerp.Scalar"),
  lerpTensor: operator("aten::lerp.Tensor"),
  maximum: operator("aten::maximum"),
  minimum: operator("aten::minimum"),
};

export interface AlphaOptions {
  /** A factor for `other`. */
  alpha?: number;
}

/** input + alpha · other. */
export function add(input: Tensor, other: Tensor | Scalar, { alpha }: AlphaOptions = {}): Tensor {
  return other instanceof Tensor
    ? native.addTensor(input, other, alpha)
    : native.addScalar(input, other, alpha);
}

/** input − alpha · other. */
export function sub(input: Tensor, other: Tensor | Scalar, { alpha }: AlphaOptions = {}): Tensor {
  return other instanceof Tensor
    ? native.subTensor(input, other, alpha)
    : native.subScalar(input, other, alpha);
}

/** input · other, element by element. */
export function mul(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.mulTensor(input, other) : native.mulScalar(input, other);
}

export interface DivOptions {
  /** Round the quotient toward zero ("trunc") or down ("floor"). */
  roundingMode?: "trunc" | "floor";
}

/** input / other; of whole numbers too the quotient is a float, unless it is rounded. */
export function div(input: Tensor, other: Tensor | Scalar, { roundingMode }: DivOptions = {}): Tensor {
  const mode = roundingMode ?? null;
  if (mode !== null && isInteger(input) && isInteger(other)) return wholeQuotient(input, other, mode);
  return other instanceof Tensor
    ? native.divTensor(input, other, mode)
    : native.divScalar(input, other, mode);
}

function isInteger(value: Tensor | Scalar): boolean {
  if (value instanceof Tensor) return !isFloatingPoint(value.dtype) && value.dtype !== "bool";
  return typeof value === "bigint" || Number.isInteger(value);
}

/**
 * A divisor of whole numbers with 1 in the place of −1, and where that was: the processor traps, and the process ends,
 * where the least number is divided by −1 (libtorch 2 in "trunc", 1.13 in "floor" and `remainder` too).
 */
function safeDivisor(input: Tensor, other: Tensor | Scalar): { divisor: Tensor; minusOne: Tensor } {
  const { dtype } = add(input, other);
  const given = other instanceof Tensor ? other : full([], other, { dtype: "int64", device: input.device });
  const divisor = to(given, { dtype });
  const minusOne = eq(divisor, -1);
  return { divisor: maskedFill(divisor, minusOne, 1), minusOne };
}

/** Rounded quotients of whole numbers; what overflows wraps, as `neg` does. */
function wholeQuotient(input: Tensor, other: Tensor | Scalar, mode: "trunc" | "floor"): Tensor {
  return scope(() => {
    const { divisor, minusOne } = safeDivisor(input, other);
    const quotient = native.divTensor(input, divisor, mode);
    return where(minusOne, neg(to(input, { dtype: quotient.dtype })), quotient);
  });
}

/** input modulo other, with the sign of `other`. */
export function remainder(input: Tensor, other: Tensor | Scalar): Tensor {
  // Modulo 1 and −1 alike leave 0.
  if (isInteger(input) && isInteger(other))
    return scope(() => native.remainderTensor(input, safeDivisor(input, other).divisor));
  return other instanceof Tensor
    ? native.remainderTensor(input, other)
    : native.remainderScalar(input, other);
}

/** input ^ exponent. */
export function pow(input: Tensor, exponent: Tensor | Scalar): Tensor {
  return exponent instanceof Tensor ? native.powTensor(input, exponent) : native.powScalar(input, exponent);
}

export interface ValueOptions {
  /** A factor for the product or quotient. */
  value?: number;
}

/** input + value · a · b. */
export function addcmul(input: Tensor, a: Tensor, b: Tensor, { value = 1 }: ValueOptions = {}): Tensor {
  return native.addcmul(input, a, b, value);
}

/** input + value · a / b. */
export function addcdiv(input: Tensor, a: Tensor, b: Tensor, { value = 1 }: ValueOptions = {}): Tensor {
  return native.addcdiv(input, a, b, value);
}

/** input + weight · (end − input). */
export function lerp(input: Tensor, end: Tensor, weight: Tensor | number): Tensor {
  return weight instanceof Tensor
    ? native.lerpTensor(input, end, weight)
    : native.lerpScalar(input, end, weight);
}

/** The larger of the two, element by element. */
export function maximum(input: Tensor, other: Tensor): Tensor {
  return native.maximum(input, other);
}

/** The smaller of the two, element by element. */
export function minimum(input: Tensor, other: Tensor): Tensor {
  return native.minimum(input, other);
}
