// Choosing elements: by position, by mask, by other tensors.

import { inPlaceOperator, operator } from "../dispatcher.ts";
import { ArgumentError } from "../errors.ts";
import { scope } from "../scope.ts";
import { shown } from "../shown.ts";
import { type Scalar, Tensor } from "../tensor.ts";
import { full } from "./creation.ts";
import { select, slice, unbind, unsqueeze } from "./shape.ts";

const native = {
  index: operator("aten::index.Tensor"),
  indexPut_: inPlaceOperator("aten::index_put_"),
  indexSelect: operator("aten::index_select"),
  gather: operator("aten::gather"),
  scatter: operator("aten::scatter.src"),
  scatterValue: operator("aten::scatter.value"),
  scatterAdd: operator("aten::scatter_add"),
  indexAdd: operator("aten::index_add"),
  maskedFillScalar: operator("aten::masked_fill.Scalar"),
  maskedFillTensor: operator("aten::masked_fill.Tensor"),
  maskedSelect: operator("aten::masked_select"),
  nonzero: operator("aten::nonzero"),
  embedding: operator("aten::embedding"),
  oneHot: operator("aten::one_hot"),
  alias: operator("aten::alias"),
  copy_: inPlaceOperator("aten::copy_"),
  fill_: inPlaceOperator("aten::fill_.Scalar"),
};

/** Part of a dimension: Python's start:end:step. */
export interface Slice {
  readonly start: number | null;
  readonly end: number | null;
  readonly step: number;
}

/** `range(1, 3)` is Python's 1:3, `range()` its `:`. */
export function range(start: number | null = null, end: number | null = null, step = 1): Slice {
  return { start, end, step };
}

/** One dimension's choice: a position, a part, a new dimension (null), the dimensions between ("..."), or a tensor
 * of positions (int64) or of a mask (bool). */
export type Index = number | Slice | null | "..." | Tensor;

/**
 * Python's `input[i, 1:3, None, ..., mask]`. A view where only numbers, ranges, null and "..." are given; a copy
 * where a tensor chooses.
 */
export function at(input: Tensor, ...indices: Index[]): Tensor {
  return scope(() => {
    const { view, chosen } = basicView(input, indices);
    return chosen.length === 0 ? view : native.index(view, chosen);
  });
}

/** Writes `value` (broadcast) to what `at` would choose, and returns `input`. */
export function put_(input: Tensor, value: Tensor | Scalar, ...indices: Index[]): Tensor {
  scope(() => {
    const { view, chosen } = basicView(input, indices);
    if (chosen.length > 0) {
      const places = chosen.flatMap((index) => (index === null ? [null] : positionsOf(index)));
      const { dtype, device } = view;
      const values = value instanceof Tensor ? value : full([], value, { dtype, device });
      native.indexPut_(view, places, values);
    } else if (value instanceof Tensor) native.copy_(view, value);
    else native.fill_(view, value);
  });
  return input;
}

/**
 * A mask as the positions that it chooses, one tensor a dimension. libtorch 1.13 misreads a mask that is not among the
 * last dimensions when it writes a single value.
 */
function positionsOf(index: Tensor): Tensor[] {
  return index.dtype === "bool" ? unbind(nonzero(index), 1) : [index];
}

/** How many of a tensor's dimensions an index takes up: a mask takes as many as it has. */
function consumed(index: Index): number {
  if (index === null || index === "...") return 0;
  return index instanceof Tensor && index.dtype === "bool" ? index.ndim : 1;
}

/** Applies numbers, ranges and new dimensions as views; what tensors choose is left for one advanced index. */
function basicView(input: Tensor, indices: Index[]): { view: Tensor; chosen: (Tensor | null)[] } {
  const taken = indices.reduce<number>((count, index) => count + consumed(index), 0);
  const rank = input.ndim;
  const ellipses = indices.filter((index) => index === "...").length;
  if (ellipses > 1)
    throw new ArgumentError('at: more than one "..." among the indices', { argument: "indices" });
  if (taken > rank)
    throw new ArgumentError(`at: ${taken} indices for a tensor of ${rank} dimensions`, {
      argument: "indices",
    });
  let view = native.alias(input);
  let dim = 0;
  const chosen: (Tensor | null)[] = [];
  const skip = (count: number): void => {
    for (let i = 0; i < count; i++) chosen.push(null);
    dim += count;
  };
  for (const index of indices) {
    if (index === "...") skip(rank - taken);
    else if (index === null) {
      view = unsqueeze(view, dim);
      skip(1);
    } else if (typeof index === "number") view = select(view, dim, index);
    else if (index instanceof Tensor) {
      chosen.push(index);
      dim += consumed(index);
    } else if (typeof index === "object" && "step" in index) {
      view = slice(view, dim, index.start, index.end, { step: index.step });
      skip(1);
    } else throw new ArgumentError(`at: ${shown(index)} is no index`, { argument: "indices" });
  }
  return { view, chosen: chosen.some((index) => index !== null) ? chosen : [] };
}

/** The slices of `dim` at positions [k]. */
export function indexSelect(input: Tensor, dim: number, index: Tensor): Tensor {
  return native.indexSelect(input, dim, index);
}

/** One element of `dim` for each element of `index` (int64): out[i][j] = input[index[i][j]][j] for dim 0. */
export function gather(input: Tensor, dim: number, index: Tensor): Tensor {
  return native.gather(input, dim, index);
}

/** A copy with `source` written where `index` says along `dim`: the reverse of `gather`. */
export function scatter(input: Tensor, dim: number, index: Tensor, source: Tensor | Scalar): Tensor {
  return source instanceof Tensor
    ? native.scatter(input, dim, index, source)
    : native.scatterValue(input, dim, index, source);
}

/** A copy with `source` added where `index` says along `dim`. */
export function scatterAdd(input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  return native.scatterAdd(input, dim, index, source);
}

/** A copy with the slices of `source` added at positions `index` [k] of `dim`. */
export function indexAdd(input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  return native.indexAdd(input, dim, index, source);
}

/** A copy with `value` where the mask (bool, broadcast) holds. */
export function maskedFill(input: Tensor, mask: Tensor, value: Tensor | Scalar): Tensor {
  return value instanceof Tensor
    ? native.maskedFillTensor(input, mask, value)
    : native.maskedFillScalar(input, mask, value);
}

/** The elements where the mask holds, as a vector. */
export function maskedSelect(input: Tensor, mask: Tensor): Tensor {
  return native.maskedSelect(input, mask);
}

/** The positions of the elements that are not 0: [count, dimensions], int64. */
export function nonzero(input: Tensor): Tensor {
  return native.nonzero(input);
}

export interface EmbeddingOptions {
  /** The row whose gradient stays 0; −1 for none. */
  paddingIndex?: number;
}

/** The rows of `weight` [vocabulary, width] at `indices` [...] → [..., width]. */
export function embedding(
  weight: Tensor,
  indices: Tensor,
  { paddingIndex = -1 }: EmbeddingOptions = {},
): Tensor {
  return native.embedding(weight, indices, paddingIndex, false, false);
}

/** [...] of class numbers → [..., classes] of 0 and 1; −1 takes the largest class number plus 1. */
export function oneHot(input: Tensor, classes = -1): Tensor {
  return native.oneHot(input, classes);
}
