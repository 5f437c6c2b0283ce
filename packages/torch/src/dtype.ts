// The element types of tensors and the typed arrays that carry them.

import { ArgumentError } from "./errors.ts";
import { shown } from "./shown.ts";

export type DType =
  | "float32"
  | "float64"
  | "bfloat16"
  | "float16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

/** Any typed array that can hold a tensor's elements. Half-precision types travel as their 16 bits. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  bfloat16: Uint16Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

/** The typed array in which elements of this dtype leave a tensor: 16-bit floats as Uint16Array, bool as Uint8Array. */
export type TypedArrayOf<D extends DType> = InstanceType<(typeof constructors)[D]>;

/** @throws {ArgumentError} for a dtype that no typed array carries, complex64 for one */
export function typedArrayOf<D extends DType>(dtype: D, buffer: ArrayBuffer): TypedArrayOf<D> {
  if (!isDType(dtype))
    throw new ArgumentError(`there is no typed array for elements of dtype ${dtype}`, { received: dtype });
  return new constructors[dtype](buffer) as TypedArrayOf<D>;
}

/** Bytes an element. @throws {ArgumentError} for what is no dtype */
export function itemSize(dtype: DType): number {
  if (!isDType(dtype))
    throw new ArgumentError(`itemSize: the unknown dtype ${shown(dtype)}`, {
      argument: "dtype",
      received: shown(dtype),
    });
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** Whether `array` is of the class that carries elements of `dtype`. */
export function carries(array: TypedArray, dtype: DType): boolean {
  return isDType(dtype) && array instanceof constructors[dtype];
}

export function isFloatingPoint(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || dtype === "bfloat16" || dtype === "float16";
}

export function isDType(name: unknown): name is DType {
  return typeof name === "string" && Object.hasOwn(constructors, name);
}

/** The dtype whose elements a typed array holds; a Uint16Array may be one of two and has none. */
export function dtypeOf(array: TypedArray): DType | undefined {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof BigInt64Array) return "int64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Int16Array) return "int16";
  if (array instanceof Int8Array) return "int8";
  if (array instanceof Uint8Array) return "uint8";
  return undefined;
}
