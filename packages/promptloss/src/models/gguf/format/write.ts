// Writes a GGUF file, version 3, little-endian: head, then each tensor's bytes at the alignment that readers assume. A
// reader sees the old file or the whole new one.
import { writeSync } from "node:fs";
import { replaceFile } from "../../../files/atomic.ts";
import { numelOf } from "../../config/parameters.ts";
import type { BlockType } from "./block-types.ts";
import { GgufError } from "./errors.ts";

/** A value of the metadata with its type in the file. */
export type Typed =
  | { readonly type: "uint32" | "int32" | "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "int32s" | "float32s"; readonly value: ArrayLike<number> };

export interface WrittenTensor {
  readonly name: string;
  readonly type: BlockType;
  /** Slowest first: a matrix is [outputs, inputs]. */
  readonly shape: readonly number[];
  /** Hands over all its bytes in order, in pieces that it may overwrite once the call returns. */
  readonly write: (put: (piece: Uint8Array) => void) => void;
}

export function uint32(value: number): Typed {
  return { type: "uint32", value };
}

export function float32(value: number): Typed {
  return { type: "float32", value };
}

export function bool(value: boolean): Typed {
  return { type: "bool", value };
}

export function text(value: string): Typed {
  return { type: "string", value };
}

const CODES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const ALIGNMENT = 32;
const VERSION = 3;

/** Bytes that grow. */
class Bytes {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  add(part: Uint8Array): this {
    this.#parts.push(part);
    this.length += part.length;
    return this;
  }

  uint32(value: number): this {
    const part = new Uint8Array(4);
    new DataView(part.buffer).setUint32(0, value, true);
    return this.add(part);
  }

  uint64(value: number): this {
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, BigInt(value), true);
    return this.add(part);
  }

  string(value: string): this {
    const bytes = Buffer.from(value, "utf8");
    return this.uint64(bytes.length).add(bytes);
  }

  numbers(values: ArrayLike<number>, isFloat: boolean): this {
    const part = new Uint8Array(4 * values.length);
    const view = new DataView(part.buffer);
    for (let i = 0; i < values.length; i++)
      if (isFloat) view.setFloat32(4 * i, values[i]!, true);
      else view.setInt32(4 * i, values[i]!, true);
    return this.add(part);
  }

  whole(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

function addTyped(bytes: Bytes, typed: Typed): void {
  switch (typed.type) {
    case "uint32":
      bytes.uint32(CODES.uint32).uint32(typed.value);
      return;
    case "int32":
    case "float32":
      bytes.uint32(CODES[typed.type]).numbers([typed.value], typed.type === "float32");
      return;
    case "bool":
      bytes.uint32(CODES.bool).add(Uint8Array.of(typed.value ? 1 : 0));
      return;
    case "string":
      bytes.uint32(CODES.string).string(typed.value);
      return;
    case "strings":
      bytes.uint32(CODES.array).uint32(CODES.string).uint64(typed.value.length);
      for (const each of typed.value) bytes.string(each);
      return;
    case "int32s":
    case "float32s": {
      const isFloat = typed.type === "float32s";
      bytes.uint32(CODES.array).uint32(isFloat ? CODES.float32 : CODES.int32);
      bytes.uint64(typed.value.length).numbers(typed.value, isFloat);
    }
  }
}

/** The bytes that a tensor takes. */
export function tensorBytes({ type, shape }: Pick<WrittenTensor, "type" | "shape">): number {
  return (numelOf(shape) / type.elements) * type.bytes;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * Writes a file in the place of one that is there.
 * @returns its bytes
 * @throws {OutputError} where the disk refuses; what was at `path` before is intact then
 */
export function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, Typed>,
  tensors: readonly WrittenTensor[],
): number {
  const head = new Bytes().add(Buffer.from("GGUF", "latin1")).uint32(VERSION);
  head.uint64(tensors.length).uint64(metadata.size);
  for (const [key, typed] of metadata) addTyped(head.string(key), typed);
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    if ((shape.at(-1) ?? 1) % type.elements !== 0)
      throw new GgufError(path, `rows of ${shape.at(-1)} are no whole blocks of ${type.name}`, {
        what: name,
      });
    head.string(name).uint32(shape.length);
    for (const size of [...shape].reverse()) head.uint64(size);
    head.uint32(type.id).uint64(offset);
    offset += aligned(tensorBytes(tensor));
  }
  const start = aligned(head.length);
  replaceFile(path, (file) => {
    put(file, head.whole());
    put(file, new Uint8Array(start - head.length));
    for (const tensor of tensors) {
      let written = 0;
      tensor.write((piece) => {
        put(file, piece);
        written += piece.length;
      });
      const bytes = tensorBytes(tensor);
      if (written !== bytes)
        throw new GgufError(path, `gave ${written} bytes of ${bytes}`, { what: tensor.name });
      put(file, new Uint8Array(aligned(bytes) - bytes));
    }
  });
  return start + offset;
}

function put(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}
