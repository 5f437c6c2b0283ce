// Sums, means, extremes, sorting: over one dimension, several, or all.

import { operator } from "../dispatcher.ts";
import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

/** Dimensions to reduce: negative ones count from the last; left out or null, all. */
export type Dims = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the reduced dimensions with size 1. */
  keepdim?: boolean;
  /** Reduce in this dtype. */
  dtype?: DType;
}

const native = {
  sum: operator("aten::sum.dim_IntList"),
  mean: operator("aten::mean.dim"),
  prod: operator("aten::prod"),
  amax: operator("aten::amax"),
  amin: operator("aten::amin"),
  argmax: operator("aten::argmax"),
  argmin: operator("aten::argmin"),
  maxDim: operator<[Tensor, Tensor]>("aten::max.dim"),
  minDim: operator<[Tensor, Tensor]>("aten::min.dim"),
  variance: operator("aten::var.correction"),
  std: operator("aten::std.correction"),
  norm: operator("aten::linalg_vector_norm"),
  logsumexp: operator("aten::logsumexp"),
  cumsum: operator("aten::cumsum"),
  all: operator("aten::all"),
  allDim: operator("aten::all.dim"),
  any: operator("aten::any"),
  anyDim: operator("aten::any.dim"),
  countNonzero: operator("aten::count_nonzero.dim_IntList"),
  topk: operator<[Tensor, Tensor]>("aten::topk"),
  sort: operator<[Tensor, Tensor]>("aten::sort"),
  argsort: operator("aten::argsort"),
};

function listed(dim: Dims): readonly number[] | null {
  return typeof dim === "number" ? [dim] : dim;
}
function listedOrAll(dim: Dims): readonly number[] {
  return listed(dim) ?? [];
}

/** The sum over `dim`; whole numbers and booleans sum to int64. */
export function sum(input: Tensor, dim: Dims = null, { keepdim = false, dtype }: ReduceOptions = {}): Tensor {
  return native.sum(input, listed(dim), keepdim, dtype ?? null);
}

/** The mean over `dim`, of floats. */
export function mean(
  input: Tensor,
  dim: Dims = null,
  { keepdim = false, dtype }: ReduceOptions = {},
): Tensor {
  return native.mean(input, listed(dim), keepdim, dtype ?? null);
}

/** The product of all elements. */
export function prod(input: Tensor, { dtype }: { dtype?: DType } = {}): Tensor {
  return native.prod(input, dtype ?? null);
}

export interface KeepdimOptions {
  keepdim?: boolean;
}

/** The largest element over `dim`; ties share the gradient. */
export function amax(input: Tensor, dim: Dims = null, { keepdim = false }: KeepdimOptions = {}): Tensor {
  return native.amax(input, listedOrAll(dim), keepdim);
}

/** The smallest element over `dim`; ties share the gradient. */
export function amin(input: Tensor, dim: Dims = null, { keepdim = false }: KeepdimOptions = {}): Tensor {
  return native.amin(input, listedOrAll(dim), keepdim);
}

/** The index of the largest element along `dim`, int64; of the flattened tensor where `dim` is left out. */
export function argmax(
  input: Tensor,
  dim: number | null = null,
  { keepdim = false }: KeepdimOptions = {},
): Tensor {
  return native.argmax(input, dim, keepdim);
}

/** The index of the smallest element along `dim`, int64; of the flattened tensor where `dim` is left out. */
export function argmin(
  input: Tensor,
  dim: number | null = null,
  { keepdim = false }: KeepdimOptions = {},
): Tensor {
  return native.argmin(input, dim, keepdim);
}

/** The largest elements along `dim` and where they stand: [values, indices]. */
export function max(input: Tensor, dim: number, { keepdim = false }: KeepdimOptions = {}): [Tensor, Tensor] {
  return native.maxDim(input, dim, keepdim);
}

/** The smallest elements along `dim` and where they stand: [values, indices]. */
export function min(input: Tensor, dim: number, { keepdim = false }: KeepdimOptions = {}): [Tensor, Tensor] {
  return native.minDim(input, dim, keepdim);
}

export interface SpreadOptions extends KeepdimOptions {
  /** Taken off the count: 1 for the sample's, 0 for the population's. */
  correction?: number;
}

/** The variance over `dim`. */
export function variance(input: Tensor, dim: Dims = null, options: SpreadOptions = {}): Tensor {
  return native.variance(input, listed(dim), options.correction ?? 1, options.keepdim ?? false);
}

/** The standard deviation over `dim`. */
export function std(input: Tensor, dim: Dims = null, options: SpreadOptions = {}): Tensor {
  return native.std(input, listed(dim), options.correction ?? 1, options.keepdim ?? false);
}

export interface NormOptions extends ReduceOptions {
  /** The norm's order: 2 is Euclid's, Infinity the largest magnitude. */
  ord?: number;
}

/** The vector norm over `dim`. */
export function norm(input: Tensor, dim: Dims = null, options: NormOptions = {}): Tensor {
  const { ord = 2, keepdim = false, dtype } = options;
  return native.norm(input, ord, listed(dim), keepdim, dtype ?? null);
}

/** log Σ e^x over `dim`, without overflow. */
export function logsumexp(
  input: Tensor,
  dim: number | readonly number[],
  { keepdim = false }: KeepdimOptions = {},
): Tensor {
  return native.logsumexp(input, listedOrAll(dim), keepdim);
}

/** Running sums along `dim`. */
export function cumsum(input: Tensor, dim: number, { dtype }: { dtype?: DType } = {}): Tensor {
  return native.cumsum(input, dim, dtype ?? null);
}

/** Whether all elements are not 0, along `dim` or at all. */
export function all(
  input: Tensor,
  dim: number | null = null,
  { keepdim = false }: KeepdimOptions = {},
): Tensor {
  return dim === null ? native.all(input) : native.allDim(input, dim, keepdim);
}

/** Whether some element is not 0, along `dim` or at all. */
export function any(
  input: Tensor,
  dim: number | null = null,
  { keepdim = false }: KeepdimOptions = {},
): Tensor {
  return dim === null ? native.any(input) : native.anyDim(input, dim, keepdim);
}

/** How many elements are not 0, over `dim`, int64. */
export function countNonzero(input: Tensor, dim: Dims = null): Tensor {
  return native.countNonzero(input, listedOrAll(dim));
}

export interface TopkOptions {
  dim?: number;
  /** False for the smallest. */
  largest?: boolean;
  sorted?: boolean;
}

/** The k largest elements along `dim` and where they stand: [values, indices]. */
export function topk(input: Tensor, k: number, options: TopkOptions = {}): [Tensor, Tensor] {
  const { dim = -1, largest = true, sorted = true } = options;
  return native.topk(input, k, dim, largest, sorted);
}

export interface SortOptions {
  descending?: boolean;
}

/** Sorted along `dim`, with where the elements stood: [values, indices]. */
export function sort(input: Tensor, dim = -1, { descending = false }: SortOptions = {}): [Tensor, Tensor] {
  return native.sort(input, dim, descending);
}

/** The indices that sort along `dim`, int64. */
export function argsort(input: Tensor, dim = -1, { descending = false }: SortOptions = {}): Tensor {
  return native.argsort(input, dim, descending);
}
