// Random tensors, from the generator of their device: `manualSeed` makes them repeat.

import { inPlaceOperator, operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";
import type { LikeOptions, TensorOptions } from "./creation.ts";
import { factoryTail, withGrad } from "./factory.ts";

const native = {
  rand: operator("aten::rand"),
  randn: operator("aten::randn"),
  randLike: operator("aten::rand_like"),
  randnLike: operator("aten::randn_like"),
  randint: operator("aten::randint.low"),
  randperm: operator("aten::randperm"),
  multinomial: operator("aten::multinomial"),
  bernoulli: operator("aten::bernoulli"),
  uniform_: inPlaceOperator("aten::uniform_"),
  normal_: inPlaceOperator("aten::normal_"),
};

/** Uniform over [0, 1). */
export function rand(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return withGrad(native.rand(shape, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** Standard normal. */
export function randn(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return withGrad(native.randn(shape, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** Uniform over [0, 1), in the shape, dtype and device of `input`. */
export function randLike(input: Tensor, options: LikeOptions = {}): Tensor {
  return withGrad(native.randLike(input, ...factoryTail(options)), options);
}

/** Standard normal, in the shape, dtype and device of `input`. */
export function randnLike(input: Tensor, options: LikeOptions = {}): Tensor {
  return withGrad(native.randnLike(input, ...factoryTail(options)), options);
}

/** Whole numbers uniform over low … high − 1; int64 where no dtype is given. */
export function randint(
  low: number,
  high: number,
  shape: readonly number[],
  options: TensorOptions = {},
): Tensor {
  return withGrad(native.randint(low, high, shape, ...factoryTail({ dtype: "int64", ...options })), options);
}

/** 0 … n − 1 in random order, [n], int64. */
export function randperm(n: number, options: TensorOptions = {}): Tensor {
  return withGrad(native.randperm(n, ...factoryTail({ dtype: "int64", ...options })), options);
}

export interface MultinomialOptions {
  /** Whether an index can be drawn twice from a row. */
  replacement?: boolean;
}

/** Draws `count` indices from each row of unnormalized probabilities [..., k] → [..., count], int64. */
export function multinomial(
  input: Tensor,
  count: number,
  { replacement = false }: MultinomialOptions = {},
): Tensor {
  return native.multinomial(input, count, replacement);
}

/** Draws 1 with the probability that each element gives, else 0. */
export function bernoulli(input: Tensor): Tensor {
  return native.bernoulli(input);
}

/** Fills with uniform numbers over [from, to). */
export function uniform_(input: Tensor, from = 0, to = 1): Tensor {
  return native.uniform_(input, from, to);
}

/** Fills with normal numbers. */
export function normal_(input: Tensor, mean = 0, std = 1): Tensor {
  return native.normal_(input, mean, std);
}
