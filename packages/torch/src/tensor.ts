// The tensor: a handle to libtorch's own, with its metadata and its elements. Operators are functions
// (src/functions) that src/methods.ts also installs here as methods.

import type { DType, TypedArray, TypedArrayOf } from "./dtype.ts";
import { typedArrayOf } from "./dtype.ts";
import { ArgumentError, OutOfMemoryError, UseAfterFreeError } from "./errors.ts";
import type { TensorMethods } from "./methods.ts";
import { addon, type Handle } from "./native/addon.ts";
import { formatTensor } from "./print.ts";
import { shown } from "./shown.ts";

/** A number, bigint or boolean where an operator takes one element. */
export type Scalar = number | bigint | boolean;

/** What `item(dtype)` gives. */
export type ItemOf<D extends DType> = D extends "int64" ? bigint : D extends "bool" ? boolean : number;

/** Elements as nested arrays, in the tensor's shape; a bare element for a tensor of no dimensions. */
export type NestedArray = number | bigint | boolean | NestedArray[];

/** Who frees a tensor: a scope at its end, the garbage collector as a back-stop, or nobody (already freed). */
export interface Owner {
  disown(tensor: Tensor): void;
}

// methods.ts and autograd/gradient.ts install exactly these on the prototype: they make tensors, which scope.ts owns, and
// that needs this class.
export interface Tensor extends TensorMethods {
  /**
   * The gradient that `backward` accumulated in this leaf, null before. Each read is a new Tensor over the same
   * memory.
   */
  grad: Tensor | null;
}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface above is what is installed.
export class Tensor {
  #handle: Handle;
  /** @internal */
  owner: Owner | undefined;

  /** @internal Takes over a handle; use `tensor`, `zeros` … or any operator to make one. */
  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** @internal @throws {UseAfterFreeError} */
  get handle(): Handle {
    if (!(#handle in this))
      throw new ArgumentError("expected a tensor, got an object that only looks like one, such as a Proxy");
    if (this.#handle === 0n) throw new UseAfterFreeError();
    return this.#handle;
  }

  get isFreed(): boolean {
    return this.#handle === 0n;
  }

  /** Frees the tensor now. Its storage lives on while a view or the autograd graph needs it. Twice is harmless. */
  free(): void {
    if (this.#handle === 0n) return;
    const handle = this.#handle;
    this.#handle = 0n;
    this.owner?.disown(this);
    this.owner = undefined;
    addon.free(handle);
  }

  [Symbol.dispose](): void {
    this.free();
  }

  /** Sizes, outermost first; [] for a tensor of no dimensions. */
  get shape(): number[] {
    return addon.shape(this.handle);
  }

  /** Elements to step over for each dimension. */
  get strides(): number[] {
    return addon.strides(this.handle);
  }

  get dtype(): DType {
    return addon.dtype(this.handle) as DType;
  }

  /** "strided" for nearly all; "sparse_coo", "sparse_csr" … of what some operators of the raw door make. */
  get layout(): string {
    return addon.layout(this.handle);
  }

  /** "cpu", "cuda:0", "mps:0". */
  get device(): string {
    return addon.device(this.handle);
  }

  /** The number of elements. */
  get numel(): number {
    return addon.numel(this.handle);
  }

  /** The number of dimensions. */
  get ndim(): number {
    return addon.dim(this.handle);
  }

  get storageOffset(): number {
    return addon.storageOffset(this.handle);
  }

  get isContiguous(): boolean {
    return addon.isContiguous(this.handle);
  }

  /** Whether the two see the same memory, wholly or in part. */
  sharesStorageWith(other: Tensor): boolean {
    return addon.sharesStorage(this.handle, other.handle);
  }

  /** Whether gradients are computed for it. Only floating-point leaves can be set. */
  get requiresGrad(): boolean {
    return addon.requiresGrad(this.handle);
  }

  set requiresGrad(value: boolean) {
    addon.setRequiresGrad(this.handle, value);
  }

  get isLeaf(): boolean {
    return addon.isLeaf(this.handle);
  }

  /** The name of the autograd node that made it, "AddBackward0"; null for a leaf. */
  get gradFn(): string | null {
    return addon.gradFn(this.handle);
  }

  /**
   * The only element of a one-element tensor: a number, or, where `dtype` says so, an int64 as a bigint or a bool as a
   * boolean.
   * @throws {OperatorError} for any other number of elements
   * @throws {ArgumentError} where the tensor's dtype is not the one that is named, and without a name for a bool and for
   * an int64 beyond ±(2^53 − 1), which no number is
   */
  item(): number;
  item<D extends DType>(dtype: D): ItemOf<D>;
  item(dtype?: DType): number | bigint | boolean {
    if (dtype !== undefined) this.#expectDType("item", dtype);
    const boxed = addon.item(this.handle);
    const value = (boxed instanceof BigInt ? boxed.valueOf() : boxed) as number | bigint | boolean;
    if (dtype === "int64") return BigInt(value);
    if (dtype !== undefined || typeof value === "number") return value;
    const own = this.dtype;
    throw new ArgumentError(
      `item: ${value} of dtype ${own} is no number`,
      { argument: "dtype", received: own },
      { hint: `ask for it as what it is: item("${own}")` },
    );
  }

  /**
   * The elements as nested arrays in the tensor's shape; 16-bit floats as numbers, bool as booleans.
   * @throws {OutOfMemoryError} for more than 2^26 elements or inner arrays, near where V8 ends the process
   */
  toArray(): NestedArray {
    const { shape, dtype } = this;
    let count = 1;
    for (const size of shape) {
      count *= size;
      if (count > maxNested)
        throw new OutOfMemoryError(
          `toArray: [${shape.join(", ")}] is too large for nested arrays; use toTypedArray()`,
          undefined,
          [`[${shape.join(", ")}] ${dtype}`],
        );
    }
    const flat = readElements(this.handle, dtype);
    const nest = (depth: number, offset: number, count: number): NestedArray => {
      if (depth === shape.length) return flat(offset);
      const size = shape[depth] as number;
      const step = size === 0 ? 0 : count / size;
      return Array.from({ length: size }, (_, i) => nest(depth + 1, offset + i * step, step));
    };
    return nest(0, 0, this.numel);
  }

  /**
   * A copy of the elements in row-major order, from any device and layout. 16-bit floats as their bits.
   * @throws {ArgumentError} where `dtype` is named and is not the tensor's: convert it first, `tensor.double()` say
   */
  toTypedArray(): TypedArray;
  toTypedArray<D extends DType>(dtype: D): TypedArrayOf<D>;
  toTypedArray(dtype?: DType): TypedArray {
    if (dtype !== undefined) this.#expectDType("toTypedArray", dtype);
    return typedArrayOf(this.dtype, addon.toBuffer(this.handle));
  }

  /**
   * The tensor's own memory as a typed array: writes go both ways, and the memory lives as long as either. From then
   * on the memory is fixed: `resize_`, or an operator whose `out` would have to grow, throws an OperatorError.
   * @throws {ArgumentError} unless the tensor is contiguous and on the CPU, and of the dtype where one is named
   */
  asTypedArray(): TypedArray;
  asTypedArray<D extends DType>(dtype: D): TypedArrayOf<D>;
  asTypedArray(dtype?: DType): TypedArray {
    if (dtype !== undefined) this.#expectDType("asTypedArray", dtype);
    return typedArrayOf(this.dtype, addon.viewBuffer(this.handle));
  }

  #expectDType(name: string, dtype: DType): void {
    const { dtype: own } = this;
    if (own !== dtype)
      throw new ArgumentError(`${name}: the tensor has dtype ${own}, not ${shown(dtype)}`, {
        argument: "dtype",
        expected: own,
        received: shown(dtype),
      });
  }

  /** As a person would want to read it; long dimensions are cut in the middle. */
  toString(): string {
    return this.isFreed ? "tensor(freed)" : formatTensor(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Elements of nested arrays at most. V8 ends the process when an array of more than 2^27 elements is filled. */
export const maxNested = 2 ** 26;

/** Reads single elements of a tensor as JavaScript values, by their row-major index. */
function readElements(handle: Handle, dtype: DType): (index: number) => number | bigint | boolean {
  if (dtype === "bfloat16" || dtype === "float16") {
    const bits = typedArrayOf(dtype, addon.toBuffer(handle));
    const decode = dtype === "bfloat16" ? decodeBfloat16 : decodeFloat16;
    return (i) => decode(bits[i] as number);
  }
  if (dtype === "int64") {
    const values = typedArrayOf(dtype, addon.toBuffer(handle));
    return (i) => {
      const value = values[i] as bigint;
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    };
  }
  const values = typedArrayOf(dtype, addon.toBuffer(handle));
  if (dtype === "bool") return (i) => values[i] !== 0;
  return (i) => values[i] as number;
}

const scratch = new DataView(new ArrayBuffer(4));

function decodeBfloat16(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
