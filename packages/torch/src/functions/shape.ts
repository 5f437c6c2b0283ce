// Shapes: views of the same memory where layouts allow, copies where they don't (each function says which).

import { operator } from "../dispatcher.ts";
import type { DType } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { numberOf, shown } from "../shown.ts";
import type { Tensor } from "../tensor.ts";

const native = {
  reshape: operator("aten::reshape"),
  view: operator("aten::view"),
  viewDtype: operator("aten::view.dtype"),
  transpose: operator("aten::transpose.int"),
  permute: operator("aten::permute"),
  t: operator("aten::t"),
  squeeze: operator("aten::squeeze"),
  squeezeDim: operator("aten::squeeze.dim"),
  unsqueeze: operator("aten::unsqueeze"),
  flatten: operator("aten::flatten.using_ints"),
  expand: operator("aten::expand"),
  contiguous: operator("aten::contiguous"),
  cat: operator("aten::cat"),
  stack: operator("aten::stack"),
  split: operator<Tensor[]>("aten::split.Tensor"),
  splitSizes: operator<Tensor[]>("aten::split_with_sizes"),
  chunk: operator<Tensor[]>("aten::chunk"),
  unbind: operator<Tensor[]>("aten::unbind.int"),
  repeat: operator("aten::repeat"),
  repeatInterleave: operator("aten::repeat_interleave.self_int"),
  flip: operator("aten::flip"),
  roll: operator("aten::roll"),
  narrow: operator("aten::narrow"),
  select: operator("aten::select.int"),
  slice: operator("aten::slice.Tensor"),
  asStrided: operator("aten::as_strided"),
};

/** The same elements in another shape; one size may be −1. A view where strides allow, else a copy. */
export function reshape(input: Tensor, shape: readonly number[]): Tensor {
  return native.reshape(input, shape);
}

/** The same memory in another shape; one size may be −1. @throws {OperatorError} where strides don't allow it */
export function view(input: Tensor, shape: readonly number[]): Tensor {
  return native.view(input, shape);
}

/** The same memory read as another dtype; the last dimension grows or shrinks with the element's size. */
export function viewDtype(input: Tensor, dtype: DType): Tensor {
  return native.viewDtype(input, dtype);
}

/** A view with two dimensions exchanged. */
export function transpose(input: Tensor, dim0: number, dim1: number): Tensor {
  return native.transpose(input, dim0, dim1);
}

/** A view with the dimensions in the given order. */
export function permute(input: Tensor, dims: readonly number[]): Tensor {
  return native.permute(input, dims);
}

/** A view of a matrix with rows and columns exchanged. */
export function t(input: Tensor): Tensor {
  return native.t(input);
}

/** A view without the dimensions of size 1, or without `dim` if its size is 1. */
export function squeeze(input: Tensor, dim?: number): Tensor {
  return dim === undefined ? native.squeeze(input) : native.squeezeDim(input, dim);
}

/** A view with a new dimension of size 1 before `dim`. */
export function unsqueeze(input: Tensor, dim: number): Tensor {
  return native.unsqueeze(input, dim);
}

/** Dimensions startDim … endDim as one; a view where strides allow. */
export function flatten(input: Tensor, startDim = 0, endDim = -1): Tensor {
  return native.flatten(input, startDim, endDim);
}

/** A view that repeats dimensions of size 1 without copying; −1 keeps a size. */
export function expand(input: Tensor, shape: readonly number[]): Tensor {
  return native.expand(input, shape);
}

/** The tensor in row-major memory: itself, or a copy. */
export function contiguous(input: Tensor): Tensor {
  return native.contiguous(input);
}

/** Joins tensors along a dimension that they have. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  return native.cat(tensors, dim);
}

/** Joins tensors of one shape along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return native.stack(tensors, dim);
}

/** Views along `dim`: of one size each (the last may be smaller), or of the sizes listed. */
export function split(input: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  return typeof sizes === "number" ? native.split(input, sizes, dim) : native.splitSizes(input, sizes, dim);
}

/** At most `chunks` views of equal size along `dim`. */
export function chunk(input: Tensor, chunks: number, dim = 0): Tensor[] {
  return native.chunk(input, chunks, dim);
}

/** All slices along `dim`, as views without it. */
export function unbind(input: Tensor, dim = 0): Tensor[] {
  return native.unbind(input, dim);
}

/** A copy, repeated so many times along each dimension. */
export function repeat(input: Tensor, times: readonly number[]): Tensor {
  return native.repeat(input, times);
}

/**
 * A copy, each element along `dim` repeated `times` times in place.
 * @throws {ArgumentError} for more elements than can be counted, by which libtorch 1 ends the process
 */
export function repeatInterleave(input: Tensor, times: number, dim = 0): Tensor {
  if (Math.max(1, input.numel) * numberOf(times) > Number.MAX_SAFE_INTEGER)
    throw new ArgumentError(
      `repeatInterleave: ${input.numel} elements can't be repeated ${shown(times)} times`,
      {
        argument: "times",
        expected: "a number of times that memory holds",
        received: shown(times),
      },
    );
  return native.repeatInterleave(input, times, dim);
}

/** A copy in reverse order along the dimensions. */
export function flip(input: Tensor, dims: readonly number[]): Tensor {
  return native.flip(input, dims);
}

/** A copy whose elements moved on by `shift` along `dim`; those that fall off come in at the front. */
export function roll(input: Tensor, shift: number, dim: number): Tensor {
  return native.roll(input, [shift], [dim]);
}

/** A view of `length` elements along `dim` from `start`. */
export function narrow(input: Tensor, dim: number, start: number, length: number): Tensor {
  return native.narrow(input, dim, start, length);
}

/** A view of one index along `dim`, without that dimension. */
export function select(input: Tensor, dim: number, index: number): Tensor {
  return native.select(input, dim, index);
}

export interface SliceOptions {
  /** 1 or more. */
  step?: number;
}

/** A view of start … end − 1 along `dim`; negative numbers count from the end, null is the end itself. */
export function slice(
  input: Tensor,
  dim: number,
  start: number | null = null,
  end: number | null = null,
  { step = 1 }: SliceOptions = {},
): Tensor {
  return native.slice(input, dim, start, end, step);
}

/**
 * A view with any sizes and strides over the tensor's memory.
 * @throws {OperatorError} for what lies outside of that memory
 */
export function asStrided(
  input: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  storageOffset?: number,
): Tensor {
  // libtorch's own check of the bounds overflows in 1.13, where a reach beyond 2^63 passes as small.
  if (Array.isArray(shape) && Array.isArray(strides)) {
    const reach = shape.reduce<number>(
      (sum, size, i) => sum + Math.abs((numberOf(size) - 1) * numberOf(strides[i])),
      0,
    );
    if (reach + numberOf(storageOffset ?? 0) > Number.MAX_SAFE_INTEGER)
      throw new ArgumentError("asStrided: sizes, strides and offset reach beyond any memory", {
        operator: "aten::as_strided",
        argument: "storageOffset",
      });
  }
  return native.asStrided(input, shape, strides, storageOffset ?? null);
}
