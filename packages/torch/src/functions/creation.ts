// Tensors from nothing and from JavaScript's own arrays.

import { markAsUntransferable } from "node:worker_threads";
import { operator } from "../dispatcher.ts";
import { carries, type DType, dtypeOf, type TypedArray } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { addon } from "../native/addon.ts";
import { adopt } from "../scope.ts";
import { numberOf, shown } from "../shown.ts";
import { maxNested, type NestedArray, type Scalar, type Tensor } from "../tensor.ts";
import { factoryTail, withGrad } from "./factory.ts";

export interface TensorOptions {
  /** float32 where left out, unless the function says otherwise. */
  dtype?: DType;
  /** "cpu" where left out. */
  device?: string;
  /** Whether gradients are to be computed for the new tensor. */
  requiresGrad?: boolean;
}

/** Options of functions that take dtype and device from a tensor where they are left out. */
export type LikeOptions = TensorOptions;

const fill = {
  zeros: operator("aten::zeros"),
  ones: operator("aten::ones"),
  empty: operator("aten::empty.memory_format"),
  full: operator("aten::full"),
  zerosLike: operator("aten::zeros_like"),
  onesLike: operator("aten::ones_like"),
  emptyLike: operator("aten::empty_like"),
  fullLike: operator("aten::full_like"),
  eye: operator("aten::eye.m"),
  arange: operator("aten::arange.start_step"),
  linspace: operator("aten::linspace"),
  to: operator("aten::to.device"),
  toDtype: operator("aten::to.dtype"),
};

/** Zeros of a shape. */
export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return withGrad(fill.zeros(shape, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** Ones of a shape. */
export function ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return withGrad(fill.ones(shape, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** A tensor of a shape whose elements are whatever the memory held; bools are false. */
export function empty(shape: readonly number[], options: TensorOptions = {}): Tensor {
  // A bool's byte is 0 or 1; operators may take any other for granted never to come.
  if (options.dtype === "bool") return zeros(shape, options);
  return withGrad(fill.empty(shape, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** `value` everywhere. */
export function full(shape: readonly number[], value: Scalar, options: TensorOptions = {}): Tensor {
  return withGrad(fill.full(shape, value, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** Zeros in the shape, dtype and device of `input`. */
export function zerosLike(input: Tensor, options: LikeOptions = {}): Tensor {
  return withGrad(fill.zerosLike(input, ...factoryTail(options)), options);
}

/** Ones in the shape, dtype and device of `input`. */
export function onesLike(input: Tensor, options: LikeOptions = {}): Tensor {
  return withGrad(fill.onesLike(input, ...factoryTail(options)), options);
}

/** Uninitialized memory in the shape, dtype and device of `input`; bools are false. */
export function emptyLike(input: Tensor, options: LikeOptions = {}): Tensor {
  if ((options.dtype ?? input.dtype) === "bool") return zerosLike(input, options);
  return withGrad(fill.emptyLike(input, ...factoryTail(options)), options);
}

/** `value` everywhere, in the shape, dtype and device of `input`. */
export function fullLike(input: Tensor, value: Scalar, options: LikeOptions = {}): Tensor {
  return withGrad(fill.fullLike(input, value, ...factoryTail(options)), options);
}

/** The identity matrix [n, m]; m = n where left out. */
export function eye(n: number, m: number = n, options: TensorOptions = {}): Tensor {
  return withGrad(fill.eye(n, m, ...factoryTail({ dtype: "float32", ...options })), options);
}

/** start, start + step, … up to but without `end`, [⌈(end − start) / step⌉]; int64 where all three are whole. */
export function arange(start: number, end: number, step = 1, options: TensorOptions = {}): Tensor {
  const dtype = [start, end, step].every(Number.isInteger) ? "int64" : "float32";
  return withGrad(fill.arange(start, end, step, ...factoryTail({ dtype, ...options })), options);
}

/** `steps` evenly spaced numbers from `start` to `end`, both included, [steps]. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  return withGrad(
    fill.linspace(start, end, steps, ...factoryTail({ dtype: "float32", ...options })),
    options,
  );
}

/**
 * A tensor from a number, nested arrays or a typed array, always a copy.
 * Numbers become float32, bigints int64, booleans bool, typed arrays their own dtype, unless `dtype` says
 * otherwise; a Uint16Array needs dtype bfloat16 or float16 and is taken as bits. Numbers and bigints for an integer
 * dtype must be whole and within its range.
 * @throws {ArgumentError} for ragged arrays and elements that are none of these
 */
export function tensor(data: NestedArray | TypedArray, options: TensorOptions = {}): Tensor {
  const { dtype, device } = options;
  if (ArrayBuffer.isView(data)) {
    const own =
      dtypeOf(data) ?? (dtype === "float16" ? "float16" : dtype === "bfloat16" ? "bfloat16" : undefined);
    if (own === undefined)
      throw new ArgumentError(`tensor: can't tell the dtype of a ${(data as object).constructor.name}`, {
        argument: "data",
        expected: "dtype bfloat16 or float16 for a Uint16Array",
      });
    const copy = fromTypedArray(data, [data.length], { dtype: own });
    return withGrad(convert(copy, dtype ?? own, device), options);
  }
  const { shape, flat, kind } = flatten(data);
  const copy = adopt(addon.fromBuffer(pack(flat, kind, dtype), 0, shape, storedAs(kind, dtype), false));
  return withGrad(convert(copy, dtype ?? storedAs(kind, undefined), device), options);
}

type ElementKind = "number" | "bigint" | "boolean";

function storedAs(kind: ElementKind, dtype: DType | undefined): DType {
  if (kind === "boolean") return "bool";
  if (kind === "bigint") return "int64";
  return dtype === undefined || dtype === "float32" ? "float32" : "float64";
}

function pack(flat: unknown[], kind: ElementKind, dtype: DType | undefined): ArrayBuffer {
  if (kind === "boolean") return Uint8Array.from(flat as boolean[], Number).buffer;
  if (kind === "bigint") {
    checkIntegers(flat as bigint[], dtype ?? "int64");
    return BigInt64Array.from(flat as bigint[]).buffer;
  }
  const numbers = flat as number[];
  if (dtype !== undefined) checkIntegers(numbers, dtype);
  return storedAs(kind, dtype) === "float32"
    ? Float32Array.from(numbers).buffer
    : Float64Array.from(numbers).buffer;
}

const integerRanges: Partial<Record<DType, readonly [number | bigint, number | bigint]>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
};

function checkIntegers(values: readonly (number | bigint)[], dtype: DType): void {
  // Bigints travel as int64 whatever they become.
  const range = integerRanges[dtype] ?? (typeof values[0] === "bigint" ? integerRanges.int64 : undefined);
  if (range === undefined) return;
  const [low, high] = range;
  const refuse = (value: number | bigint, problem: string): never => {
    throw new ArgumentError(`tensor: ${value} is ${problem}`, {
      argument: "data",
      expected: `whole numbers from ${low} to ${high} for dtype ${dtype}`,
      received: shown(value),
    });
  };
  for (const value of values) {
    if (typeof value === "number" && !Number.isInteger(value)) refuse(value, "not a whole number");
    if (value < low || value > high) refuse(value, `out of ${dtype}'s range`);
  }
}

/** More dimensions than libtorch's kernels take; an array that holds itself ends here too. */
const maxDimensions = 64;

/** The elements of nested arrays in row-major order, all of one kind, and the shape, which every part must have. */
function flatten(data: unknown): { shape: number[]; flat: unknown[]; kind: ElementKind } {
  const shape = firstShape(data);
  const flat: unknown[] = [];
  let kind: ElementKind | undefined;
  const visit = (part: unknown, depth: number): void => {
    if (depth === shape.length && !Array.isArray(part)) {
      const own = kindOf(part);
      kind ??= own;
      if (own !== kind)
        throw new ArgumentError("tensor: the elements are of different types", { argument: "data" });
      flat.push(part);
      return;
    }
    const own = firstShape(part);
    if (own.length !== shape.length - depth || own[0] !== shape[depth])
      throw new ArgumentError(
        `tensor: ragged array: one part has shape [${shape.slice(depth).join(", ")}], another [${own.join(", ")}]`,
        { argument: "data" },
      );
    // By index, so that a hole is an element that is undefined.
    for (let i = 0; i < own[0]!; i++) visit((part as unknown[])[i], depth + 1);
  };
  visit(data, 0);
  return { shape, flat, kind: kind ?? "number" };
}

function kindOf(element: unknown): ElementKind {
  const kind = typeof element;
  if (kind !== "number" && kind !== "bigint" && kind !== "boolean")
    throw new ArgumentError(`tensor: an element is a ${kind}`, { argument: "data", received: kind });
  return kind;
}

/** The shape by the first element of each array. @throws {ArgumentError} for more than nested arrays may hold */
function firstShape(data: unknown): number[] {
  const shape: number[] = [];
  let count = 1;
  for (let part = data; Array.isArray(part); part = part[0]) {
    if (shape.length === maxDimensions)
      throw new ArgumentError(`tensor: arrays in each other more than ${maxDimensions} deep`, {
        argument: "data",
      });
    shape.push(part.length);
    // Empty arrays count too: others may hold as many of them.
    count *= Math.max(1, part.length);
    if (count > maxNested)
      throw new ArgumentError(
        `tensor: nested arrays of more than ${maxNested} elements`,
        { argument: "data", received: `arrays of shape [${shape.join(", ")}, …]` },
        { hint: "give a typed array to fromTypedArray()" },
      );
  }
  return shape;
}

function convert(source: Tensor, dtype: DType, device: string | undefined): Tensor {
  if (source.dtype === dtype && (device === undefined || device === "cpu")) return source;
  const result = device === undefined ? fill.toDtype(source, dtype) : fill.to(source, device, dtype);
  source.free();
  return result;
}

export interface FromTypedArrayOptions extends TensorOptions {
  /**
   * Let the tensor see the array's own memory instead of a copy (CPU only). From then on Node does not transfer the
   * array's buffer (`postMessage`, `structuredClone`): it copies or throws. Where it has `ArrayBuffer.prototype.transfer`, don't call
   * that while the tensor lives.
   */
  share?: boolean;
}

/**
 * A tensor of `shape` over a typed array's elements, row-major: a copy, or the array's own memory with `share`.
 * @throws {ArgumentError} where shape and length differ, where the array's class does not carry the dtype
 * (`asTypedArray` says which does), where its buffer is a SharedArrayBuffer, and to share a resizable buffer or bools
 */
export function fromTypedArray(
  array: TypedArray,
  shape: readonly number[] = [array.length],
  options: FromTypedArrayOptions = {},
): Tensor {
  const { dtype = dtypeOf(array), device, share = false } = options;
  if (dtype === undefined || !carries(array, dtype))
    throw new ArgumentError(
      `fromTypedArray: a ${array?.constructor?.name} does not carry ${dtype ?? "a dtype that can be told"}`,
      { argument: "dtype" },
    );
  const { buffer } = array;
  if (!(buffer instanceof ArrayBuffer))
    throw new ArgumentError(
      "fromTypedArray: the array lies in a SharedArrayBuffer; give a copy, array.slice()",
      {
        argument: "array",
      },
    );
  if (share && ((device ?? "cpu") !== "cpu" || dtype === "bool"))
    throw new ArgumentError(
      `fromTypedArray: memory of dtype ${dtype} can't be shared with ${device ?? "cpu"}`,
      {
        argument: "share",
      },
    );
  // A buffer that shrinks would leave the tensor over memory that is gone.
  if (share && (buffer as ArrayBuffer & { resizable?: boolean }).resizable === true)
    throw new ArgumentError("fromTypedArray: memory of a resizable buffer can't be shared", {
      argument: "share",
    });
  if (!isShape(shape))
    throw new ArgumentError(
      `fromTypedArray: the shape must be an array of at most ${maxDimensions} numbers`,
      {
        argument: "shape",
      },
    );
  const count = shape.reduce((product, size) => product * numberOf(size), 1);
  if (count !== array.length)
    throw new ArgumentError(
      `fromTypedArray: shape [${shape.join(", ")}] needs ${count} elements, got ${array.length}`,
      { argument: "shape" },
    );
  if (share) markAsUntransferable(buffer);
  const source = dtype === "bool" ? Uint8Array.from(array as Uint8Array, (x) => (x === 0 ? 0 : 1)) : array;
  const made = adopt(addon.fromBuffer(source.buffer, source.byteOffset, shape, dtype, share));
  return withGrad(convert(made, dtype, device), options);
}

/** Whether it can be a shape; what is no number must not be turned into one, or into text, which may take for ever. */
function isShape(shape: unknown): boolean {
  return (
    Array.isArray(shape) &&
    shape.length <= maxDimensions &&
    shape.every((size) => typeof size === "number" || typeof size === "bigint")
  );
}
