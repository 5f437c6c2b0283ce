// Tensors from nothing and from JavaScript's own arrays.

import { operator } from "../dispatcher.ts";
import { type DType, dtypeOf, itemSize, type TypedArray } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { addon } from "../native/addon.ts";
import { adopt } from "../scope.ts";
import type { NestedArray, Scalar, Tensor } from "../tensor.ts";

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

/** @internal The tail of a factory's schema: dtype, layout, device, pin_memory. */
export function factoryTail({ dtype, device }: TensorOptions): [DType | null, null, string | null, null] {
  return [dtype ?? null, null, device ?? null, null];
}

/** @internal */
export function withGrad(tensor: Tensor, { requiresGrad = false }: TensorOptions): Tensor {
  if (requiresGrad) tensor.requiresGrad = true;
  return tensor;
}

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

/** A tensor of a shape whose elements are whatever the memory held. */
export function empty(shape: readonly number[], options: TensorOptions = {}): Tensor {
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

/** Uninitialised memory in the shape, dtype and device of `input`. */
export function emptyLike(input: Tensor, options: LikeOptions = {}): Tensor {
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
 * otherwise; a Uint16Array needs dtype bfloat16 or float16 and is taken as bits. Numbers for an integer dtype
 * must be whole.
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
  const shape = shapeOf(data);
  const flat = ([data] as unknown[]).flat(Number.POSITIVE_INFINITY);
  const kind = kindOf(flat);
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
  if (kind === "bigint") return BigInt64Array.from(flat as bigint[]).buffer;
  const numbers = flat as number[];
  if (dtype?.includes("int") && !numbers.every(Number.isInteger))
    throw new ArgumentError(`tensor: ${numbers.find((x) => !Number.isInteger(x))} is not a whole number`, {
      argument: "data",
      expected: `whole numbers for dtype ${dtype}`,
    });
  return storedAs(kind, dtype) === "float32"
    ? Float32Array.from(numbers).buffer
    : Float64Array.from(numbers).buffer;
}

function kindOf(flat: unknown[]): ElementKind {
  const kind = flat.length === 0 ? "number" : typeof flat[0];
  if (kind !== "number" && kind !== "bigint" && kind !== "boolean")
    throw new ArgumentError(`tensor: an element is a ${kind}`, { argument: "data", received: kind });
  if (!flat.every((element) => typeof element === kind))
    throw new ArgumentError("tensor: the elements are of different types", { argument: "data" });
  return kind;
}

function shapeOf(data: unknown): number[] {
  if (!Array.isArray(data)) return [];
  const inner = data.length === 0 ? [] : shapeOf(data[0]);
  for (const element of data.slice(1)) {
    const other = shapeOf(element);
    if (other.length !== inner.length || other.some((size, i) => size !== inner[i]))
      throw new ArgumentError(
        `tensor: ragged array: one part has shape [${inner.join(", ")}], another [${other.join(", ")}]`,
        { argument: "data" },
      );
  }
  return [data.length, ...inner];
}

function convert(source: Tensor, dtype: DType, device: string | undefined): Tensor {
  if (source.dtype === dtype && (device === undefined || device === "cpu")) return source;
  const result = device === undefined ? fill.toDtype(source, dtype) : fill.to(source, device, dtype);
  source.free();
  return result;
}

export interface FromTypedArrayOptions extends TensorOptions {
  /**
   * Let the tensor see the array's own memory instead of a copy (CPU only). The array must not be transferred
   * (`postMessage`, `structuredClone` with a transfer list) while the tensor lives: Node can't prevent it.
   */
  share?: boolean;
}

/**
 * A tensor of `shape` over a typed array's elements, row-major: a copy, or the array's own memory with `share`.
 * @throws {ArgumentError} where the array is too short, is backed by shared memory, or has no such dtype
 */
export function fromTypedArray(
  array: TypedArray,
  shape: readonly number[] = [array.length],
  options: FromTypedArrayOptions = {},
): Tensor {
  const { dtype = dtypeOf(array), device, share = false } = options;
  if (dtype === undefined || itemSize(dtype) !== array.BYTES_PER_ELEMENT)
    throw new ArgumentError(
      `fromTypedArray: a ${array.constructor.name} can't hold ${dtype ?? "an unnamed dtype"}`,
      {
        argument: "dtype",
      },
    );
  if (share && ((device ?? "cpu") !== "cpu" || dtype === "bool"))
    throw new ArgumentError(
      `fromTypedArray: memory of dtype ${dtype} can't be shared with ${device ?? "cpu"}`,
      {
        argument: "share",
      },
    );
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > array.length)
    throw new ArgumentError(
      `fromTypedArray: shape [${shape.join(", ")}] needs ${count} elements, got ${array.length}`,
      {
        argument: "shape",
      },
    );
  const source = dtype === "bool" ? Uint8Array.from(array as Uint8Array, (x) => (x === 0 ? 0 : 1)) : array;
  const made = adopt(addon.fromBuffer(source.buffer, source.byteOffset, shape, dtype, share));
  return withGrad(convert(made, dtype, device), options);
}
