// Comparisons and logic, element by element: the result is of dtype bool.

import { operator } from "../dispatcher.ts";
import { type Scalar, Tensor } from "../tensor.ts";

const native = {
  eqTensor: operator("aten::eq.Tensor"),
  eqScalar: operator("aten::eq.Scalar"),
  neTensor: operator("aten::ne.Tensor"),
  neScalar: operator("aten::ne.Scalar"),
  ltTensor: operator("aten::lt.Tensor"),
  ltScalar: operator("aten::lt.Scalar"),
  leTensor: operator("aten::le.Tensor"),
  leScalar: operator("aten::le.Scalar"),
  gtTensor: operator("aten::gt.Tensor"),
  gtScalar: operator("aten::gt.Scalar"),
  geTensor: operator("aten::ge.Tensor"),
  geScalar: operator("aten::ge.Scalar"),
  logicalAnd: operator("aten::logical_and"),
  logicalOr: operator("aten::logical_or"),
  logicalNot: operator("aten::logical_not"),
  isnan: operator("aten::isnan"),
  isinf: operator("aten::isinf"),
  isfinite: operator("aten::isfinite"),
  where: operator("aten::where.self"),
  equal: operator<boolean>("aten::equal"),
  allclose: operator<boolean>("aten::allclose"),
};

/** input = other. */
export function eq(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.eqTensor(input, other) : native.eqScalar(input, other);
}

/** input ≠ other. */
export function ne(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.neTensor(input, other) : native.neScalar(input, other);
}

/** input < other. */
export function lt(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.ltTensor(input, other) : native.ltScalar(input, other);
}

/** input ≤ other. */
export function le(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.leTensor(input, other) : native.leScalar(input, other);
}

/** input > other. */
export function gt(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.gtTensor(input, other) : native.gtScalar(input, other);
}

/** input ≥ other. */
export function ge(input: Tensor, other: Tensor | Scalar): Tensor {
  return other instanceof Tensor ? native.geTensor(input, other) : native.geScalar(input, other);
}

/** Both are not 0. */
export function logicalAnd(input: Tensor, other: Tensor): Tensor {
  return native.logicalAnd(input, other);
}

/** One of the two is not 0. */
export function logicalOr(input: Tensor, other: Tensor): Tensor {
  return native.logicalOr(input, other);
}

/** The element is 0. */
export function logicalNot(input: Tensor): Tensor {
  return native.logicalNot(input);
}

/** Whether each element is not a number. */
export function isnan(input: Tensor): Tensor {
  return native.isnan(input);
}

/** Whether each element is infinite. */
export function isinf(input: Tensor): Tensor {
  return native.isinf(input);
}

/** Whether each element is neither infinite nor NaN. */
export function isfinite(input: Tensor): Tensor {
  return native.isfinite(input);
}

/** `input` where the condition (bool) holds, `other` elsewhere; the three broadcast. */
export function where(condition: Tensor, input: Tensor, other: Tensor): Tensor {
  return native.where(condition, input, other);
}

/** Whether the two have the same shape and the same elements. */
export function equal(input: Tensor, other: Tensor): boolean {
  return native.equal(input, other);
}

export interface AllcloseOptions {
  rtol?: number;
  atol?: number;
  /** Whether NaN equals NaN. */
  equalNan?: boolean;
}

/** Whether |input − other| ≤ atol + rtol · |other| everywhere. */
export function allclose(input: Tensor, other: Tensor, options: AllcloseOptions = {}): boolean {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  return native.allclose(input, other, rtol, atol, equalNan);
}
