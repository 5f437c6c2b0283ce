// The head of a GGUF file (github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3): magic, version, counts,
// metadata, tensors with their places, then the data. Every count, length and place is held to the bytes that the file
// has before anything is made for it, so that a damaged or hostile file costs no more than its own size.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { isLfsPointer, LFS_POINTER, whyNot } from "@promptloss/torch/files";
import { type BlockType, blockType, OTHER_TYPES } from "./block-types.ts";
import { GgufError } from "./errors.ts";

export type GgufValue = boolean | number | bigint | string | readonly GgufValue[] | NumberArray;
type NumberArray = Float32Array | Int32Array | Uint32Array | Uint8Array | Int8Array;

export interface GgufTensor {
  readonly name: string;
  readonly type: BlockType;
  /** Slowest first, as everywhere but in the file: a matrix is [outputs, inputs]. */
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly begin: number;
  readonly bytes: number;
}

export interface GgufHead {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Where the data begins, in bytes from the start of the file. */
  readonly dataStart: number;
}

const MAGIC = 0x46554747;
const MAGIC_REVERSED = 0x47475546;
const FIXED_BYTES = 24;
/** Enough to know a Git LFS pointer by as well. */
const FIRST_BYTES = 64;
/** What ggml itself allows. */
const MOST_DIMENSIONS = 4;
const LONGEST_NAME = 65_535;
const DEFAULT_ALIGNMENT = 32;
/** Bytes of the file that are read at a time; the head of a large vocabulary is some 10 MB. */
const CHUNK = 1 << 20;
/** Arrays within arrays: nobody writes more than one level. */
const DEEPEST = 4;

/** Value types of metadata by their numbers. */
const VALUES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

/** The fewest bytes that a value takes, by type. */
const LEAST_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8] as const;

/** Reads a file front to back; nothing past its end. */
class Cursor {
  readonly path: string;
  readonly size: number;
  readonly #file: number;
  #buffer = Buffer.alloc(0);
  /** Of the buffer's first byte in the file. */
  #start = 0;
  position = 0;

  constructor(path: string, file: number, size: number) {
    this.path = path;
    this.#file = file;
    this.size = size;
  }

  get left(): number {
    return this.size - this.position;
  }

  /** A view of the next bytes, valid until the next call. */
  take(bytes: number, what: string): Buffer {
    if (bytes > this.left)
      throw new GgufError(this.path, `needs ${bytes} bytes at byte ${this.position}, ${this.left} are left`, {
        what,
        hint: "the download may have been cut short, or the file is damaged",
      });
    let at = this.position - this.#start;
    if (at + bytes > this.#buffer.length) {
      this.#fill(bytes);
      at = 0;
    }
    this.position += bytes;
    return this.#buffer.subarray(at, at + bytes);
  }

  #fill(least: number): void {
    const buffer = Buffer.allocUnsafe(Math.min(Math.max(least, CHUNK), this.left));
    let filled = 0;
    while (filled < buffer.length) {
      const count = readSync(this.#file, buffer, filled, buffer.length - filled, this.position + filled);
      if (count === 0) break;
      filled += count;
    }
    if (filled < least) throw new GgufError(this.path, "became shorter while it was read");
    this.#buffer = buffer.subarray(0, filled);
    this.#start = this.position;
  }

  uint32(what: string): number {
    return this.take(4, what).readUInt32LE();
  }

  /** A count or a length: a number that JavaScript counts with. */
  count(what: string): number {
    const value = this.take(8, what).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new GgufError(this.path, `${value} is no count that a file can have`, { what });
    return Number(value);
  }

  string(what: string, longest = Number.MAX_SAFE_INTEGER): string {
    const length = this.count(what);
    if (length > longest) throw new GgufError(this.path, `has a name of ${length} bytes`, { what });
    return this.take(length, what).toString("utf8");
  }
}

/**
 * Reads the head of a GGUF file.
 * @throws {GgufError} for what is no GGUF file, or is damaged
 */
export function readGgufHead(path: string): GgufHead {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new GgufError(path, whyNot(cause), { cause });
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new GgufError(path, "is no file");
    return readHead(new Cursor(path, file, status.size));
  } finally {
    closeSync(file);
  }
}

function readHead(cursor: Cursor): GgufHead {
  const { path } = cursor;
  const fixed = cursor.take(Math.min(FIRST_BYTES, cursor.size), "the head");
  if (isLfsPointer(fixed)) throw new GgufError(path, LFS_POINTER.message, { hint: LFS_POINTER.hint });
  const magic = fixed.length < 4 ? 0 : fixed.readUInt32LE();
  if (magic === MAGIC_REVERSED) throw new GgufError(path, "is big-endian, which is not supported");
  if (fixed.length < FIXED_BYTES || magic !== MAGIC)
    throw new GgufError(path, "is no GGUF file: it does not begin with GGUF, a version and counts");
  const version = fixed.readUInt32LE(4);
  if (version < 2 || version > 3) {
    const reversed = fixed.readUInt32BE(4);
    throw new GgufError(
      path,
      reversed >= 1 && reversed <= 3
        ? "is big-endian, which is not supported"
        : `is GGUF of version ${version}; 2 and 3 are supported`,
      { hint: version === 1 ? "convert the model again with a llama.cpp of 2024 or later" : undefined },
    );
  }
  cursor.position = 8;
  const tensorCount = boundedCount(cursor, "the number of tensors", 8 + 4 + 4 + 8);
  const metadataCount = boundedCount(cursor, "the number of metadata", 8 + 4 + 1);
  const metadata = readMetadata(cursor, metadataCount);
  const alignment = alignmentOf(path, metadata);
  const infos = readInfos(cursor, tensorCount, alignment);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return { path, metadata, tensors: placed(cursor, infos, dataStart), dataStart };
}

/** A count of things that take at least so many bytes each. */
function boundedCount(cursor: Cursor, what: string, leastBytes: number): number {
  const count = cursor.count(what);
  if (count > cursor.left / leastBytes)
    throw new GgufError(cursor.path, `${count} is more than fits ${cursor.left} bytes`, { what });
  return count;
}

function readMetadata(cursor: Cursor, count: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string(`key ${i + 1} of the metadata`, LONGEST_NAME);
    const what = JSON.stringify(key);
    if (metadata.has(key)) throw new GgufError(cursor.path, "is there twice", { what });
    metadata.set(key, readValue(cursor, cursor.uint32(what), what, 0));
  }
  return metadata;
}

function readValue(cursor: Cursor, type: number, what: string, depth: number): GgufValue {
  switch (type) {
    case VALUES.uint8:
      return cursor.take(1, what).readUInt8();
    case VALUES.int8:
      return cursor.take(1, what).readInt8();
    case VALUES.uint16:
      return cursor.take(2, what).readUInt16LE();
    case VALUES.int16:
      return cursor.take(2, what).readInt16LE();
    case VALUES.uint32:
      return cursor.uint32(what);
    case VALUES.int32:
      return cursor.take(4, what).readInt32LE();
    case VALUES.float32:
      return cursor.take(4, what).readFloatLE();
    case VALUES.bool: {
      const byte = cursor.take(1, what).readUInt8();
      if (byte > 1) throw new GgufError(cursor.path, `${byte} is neither true nor false`, { what });
      return byte === 1;
    }
    case VALUES.string:
      return cursor.string(what);
    case VALUES.array:
      return readArray(cursor, what, depth);
    case VALUES.uint64:
      return narrowed(cursor.take(8, what).readBigUInt64LE());
    case VALUES.int64:
      return narrowed(cursor.take(8, what).readBigInt64LE());
    case VALUES.float64:
      return cursor.take(8, what).readDoubleLE();
    default:
      throw new GgufError(cursor.path, `${type} is no type of value`, { what });
  }
}

function narrowed(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Arrays that vocabularies come as are read at once. */
const AT_ONCE = new Map<number, (bytes: ArrayBuffer) => NumberArray>([
  [VALUES.float32, (bytes) => new Float32Array(bytes)],
  [VALUES.int32, (bytes) => new Int32Array(bytes)],
  [VALUES.uint32, (bytes) => new Uint32Array(bytes)],
  [VALUES.uint8, (bytes) => new Uint8Array(bytes)],
  [VALUES.int8, (bytes) => new Int8Array(bytes)],
]);

function readArray(cursor: Cursor, what: string, depth: number): GgufValue {
  if (depth >= DEEPEST) throw new GgufError(cursor.path, "has arrays within arrays within arrays", { what });
  const type = cursor.uint32(what);
  const least = LEAST_BYTES[type];
  if (least === undefined) throw new GgufError(cursor.path, `${type} is no type of value`, { what });
  const count = cursor.count(what);
  if (count > cursor.left / least)
    throw new GgufError(cursor.path, `has ${count} elements, more than fit ${cursor.left} bytes`, { what });
  const view = AT_ONCE.get(type);
  if (view !== undefined) return view(Uint8Array.from(cursor.take(count * least, what)).buffer);
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(readValue(cursor, type, what, depth + 1));
  return values;
}

function alignmentOf(path: string, metadata: ReadonlyMap<string, GgufValue>): number {
  const given = metadata.get("general.alignment");
  if (given === undefined) return DEFAULT_ALIGNMENT;
  if (typeof given !== "number" || given < 8 || given % 8 !== 0 || given > 1 << 20)
    throw new GgufError(path, `${String(given)} is no alignment`, { what: "general.alignment" });
  return given;
}

type Info = Omit<GgufTensor, "begin"> & { readonly offset: number };

function readInfos(cursor: Cursor, count: number, alignment: number): Info[] {
  const names = new Set<string>();
  return Array.from({ length: count }, (_, i) => {
    const name = cursor.string(`tensor ${i + 1}`, LONGEST_NAME);
    const what = `tensor ${JSON.stringify(name)}`;
    const fail = (message: string, hint?: string): GgufError =>
      new GgufError(cursor.path, message, { what, hint });
    if (names.has(name)) throw fail("is there twice");
    names.add(name);
    const dimensions = cursor.uint32(what);
    if (dimensions > MOST_DIMENSIONS)
      throw fail(`has ${dimensions} dimensions; ${MOST_DIMENSIONS} are the most`);
    const sizes = Array.from({ length: dimensions }, () => cursor.count(what));
    const id = cursor.uint32(what);
    const type = blockType(id);
    if (type === undefined)
      throw fail(
        `is of type ${OTHER_TYPES[id] ?? id}, which is not read here`,
        "convert the model to F16, Q8_0 or a K-quant with llama.cpp's own tools",
      );
    const offset = cursor.count(what);
    if (offset % alignment !== 0) throw fail(`begins at byte ${offset} of the data, which is not aligned`);
    const row = sizes[0] ?? 1;
    if (row % type.elements !== 0)
      throw fail(`has rows of ${row} elements, which are no whole blocks of ${type.elements}`);
    // Exact beyond 2⁵³, where a product of doubles would fit what it does not.
    const blocks = sizes.reduce((product, size) => product * BigInt(size), 1n) / BigInt(type.elements);
    const bytes = blocks * BigInt(type.bytes);
    if (bytes > BigInt(cursor.size))
      throw fail(`[${sizes.join(", ")}] of ${type.name} takes ${bytes} bytes, the file has ${cursor.size}`);
    return { name, type, shape: sizes.reverse(), offset, bytes: Number(bytes) };
  });
}

/** Places from the start of the file, each within it and none over another. */
function placed(cursor: Cursor, infos: readonly Info[], dataStart: number): Map<string, GgufTensor> {
  let end = 0;
  for (const { name, offset, bytes } of [...infos].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    const what = `tensor ${JSON.stringify(name)}`;
    if (bytes > 0 && offset < end)
      throw new GgufError(cursor.path, "overlaps the tensor before it", { what });
    if (dataStart + offset + bytes > cursor.size)
      throw new GgufError(
        cursor.path,
        `ends at byte ${dataStart + offset + bytes}, the file has ${cursor.size}`,
        { what, hint: "the download may have been cut short, or this is one part of several" },
      );
    end = Math.max(end, offset + bytes);
  }
  return new Map(
    infos.map(({ offset, ...info }) => [info.name, { ...info, begin: dataStart + offset }] as const),
  );
}
