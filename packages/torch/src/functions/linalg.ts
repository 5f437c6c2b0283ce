// Products of matrices and what goes with them.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = {
  matmul: operator("aten::matmul"),
  mm: operator("aten::mm"),
  bmm: operator("aten::bmm"),
  addmm: operator("aten::addmm"),
  baddbmm: operator("aten::baddbmm"),
  dot: operator("aten::dot"),
  outer: operator("aten::outer"),
  linear: operator("promptloss::linear"),
  einsum: operator("aten::einsum"),
  tril: operator("aten::tril"),
  triu: operator("aten::triu"),
  diagonal: operator("aten::diagonal"),
};

/** [..., n, k] · [..., k, m] → [..., n, m]; leading dimensions broadcast, vectors as in PyTorch. */
export function matmul(input: Tensor, other: Tensor): Tensor {
  return native.matmul(input, other);
}

/** [n, k] · [k, m] → [n, m]. */
export function mm(input: Tensor, other: Tensor): Tensor {
  return native.mm(input, other);
}

/** [b, n, k] · [b, k, m] → [b, n, m]. */
export function bmm(input: Tensor, other: Tensor): Tensor {
  return native.bmm(input, other);
}

export interface AddmmOptions {
  /** A factor for `input`. */
  beta?: number;
  /** A factor for the product. */
  alpha?: number;
}

/** beta · input + alpha · a · b, with a [n, k], b [k, m] and input broadcast to [n, m]. */
export function addmm(
  input: Tensor,
  a: Tensor,
  b: Tensor,
  { beta = 1, alpha = 1 }: AddmmOptions = {},
): Tensor {
  return native.addmm(input, a, b, beta, alpha);
}

/** beta · input + alpha · a · b for batches, with a [b, n, k], b [b, k, m]. */
export function baddbmm(
  input: Tensor,
  a: Tensor,
  b: Tensor,
  { beta = 1, alpha = 1 }: AddmmOptions = {},
): Tensor {
  return native.baddbmm(input, a, b, beta, alpha);
}

/** Σ a·b of two vectors. */
export function dot(input: Tensor, other: Tensor): Tensor {
  return native.dot(input, other);
}

/** [n], [m] → [n, m]. */
export function outer(input: Tensor, other: Tensor): Tensor {
  return native.outer(input, other);
}

/**
 * input · weightᵀ + bias: [..., in], [out, in], [out] → [..., out]. Products in bfloat16, by autocast or by the
 * operands' dtype, are native/ops' own on processors with AVX-512 bf16 or AMX; the rest are torch's.
 */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return native.linear(input, weight, bias);
}

/** Einstein's summation: einsum("bik,bkj->bij", [a, b]). */
export function einsum(equation: string, tensors: readonly Tensor[]): Tensor {
  return native.einsum(equation, tensors);
}

/** The part of a matrix on and below a diagonal; 0 elsewhere. */
export function tril(input: Tensor, diagonal = 0): Tensor {
  return native.tril(input, diagonal);
}

/** The part of a matrix on and above a diagonal; 0 elsewhere. */
export function triu(input: Tensor, diagonal = 0): Tensor {
  return native.triu(input, diagonal);
}

export interface DiagonalOptions {
  offset?: number;
  dim1?: number;
  dim2?: number;
}

/** A view of a diagonal. */
export function diagonal(input: Tensor, { offset = 0, dim1 = 0, dim2 = 1 }: DiagonalOptions = {}): Tensor {
  return native.diagonal(input, offset, dim1, dim2);
}
