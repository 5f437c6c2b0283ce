// Writes the bytes of tensors as safetensors, so that a reader sees the old file or the whole new one: under another name
// first, then renamed. One tensor's bytes at a time are in memory. Pure; write.ts gives it libtorch's tensors.

import { readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../files/atomic.ts";
import { whyNotWritten } from "../../files/write-errors.ts";
import { SafetensorsError } from "./errors.ts";
import { indexName, singleName } from "./layout.ts";

/** A tensor to be written. */
export interface RawTensor {
  readonly name: string;
  /** As the file writes it: "BF16". */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Bytes an element. */
  readonly itemBytes: number;
  /** Hands over all its bytes in order, in pieces that it may overwrite once the call returns. */
  readonly write: (put: (piece: Uint8Array) => void) => void;
}

export interface WriteOptions {
  /** Strings to keep in the header; Hugging Face's tools look for { format: "pt" }. */
  metadata?: Readonly<Record<string, string>>;
}

export interface WriteShardedOptions extends WriteOptions {
  /** The most that the data of one shard may take, unless a single tensor takes more; 5 GB where left out. */
  maxShardBytes?: number;
}

/** Largest elements first, then by name, as the reference implementation orders them: all stay aligned. */
function ordered(path: string, tensors: readonly RawTensor[]): RawTensor[] {
  for (const { name } of tensors)
    if (name === "__metadata__")
      throw new SafetensorsError(path, "header", "is a name that the format keeps for itself", {
        tensor: name,
      });
  return [...tensors].sort(
    (a, b) => b.itemBytes - a.itemBytes || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

/** The length and the JSON, padded with spaces so that the data begins at a multiple of 8. */
function headerBytes(tensors: readonly RawTensor[], metadata: WriteOptions["metadata"]): Uint8Array {
  const entries: [string, unknown][] = metadata === undefined ? [] : [["__metadata__", metadata]];
  let begin = 0;
  for (const { name, shape, dtype, bytes } of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [begin, begin + bytes] }]);
    begin += bytes;
  }
  // Written by hand: as an object, a tensor named "__proto__" or "0" would be lost or moved.
  const json = `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return header;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}

/** Replaces a file with what `write` gives it. @throws {SafetensorsError} where the disk refuses */
function replaceWith(path: string, content: string | ((file: number) => void)): void {
  try {
    replaceFile(path, content);
  } catch (cause) {
    // What a tensor throws while it hands over its bytes is its own.
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    const { reason, hint } = whyNotWritten(cause);
    throw new SafetensorsError(path, "write", reason, { cause, hint });
  }
}

/**
 * Writes tensors to one file.
 * @throws {SafetensorsError} where the disk refuses; what was at `path` before is intact then
 */
export function writeRawSafetensors(
  path: string,
  tensors: readonly RawTensor[],
  { metadata }: WriteOptions = {},
): void {
  const sorted = ordered(path, tensors);
  const header = headerBytes(sorted, metadata);
  replaceWith(path, (file) => {
    writeAll(file, header);
    for (const { name, bytes, write } of sorted) {
      let written = 0;
      write((piece) => {
        writeAll(file, piece);
        written += piece.length;
      });
      if (written !== bytes)
        throw new SafetensorsError(path, "write", `gave ${written} bytes of ${bytes}`, { tensor: name });
    }
  });
}

/**
 * Writes tensors into a folder as Hugging Face's tools do: `model.safetensors` where they fit one shard, else
 * `model-00001-of-0000N.safetensors` and an index. The index comes last and stale shards go after it.
 * @returns the files written
 * @throws {SafetensorsError}
 */
export function writeRawShards(
  folder: string,
  tensors: readonly RawTensor[],
  { maxShardBytes = 5e9, metadata = {} }: WriteShardedOptions = {},
): string[] {
  const shards = partition(ordered(folder, tensors), maxShardBytes);
  const count = String(shards.length).padStart(5, "0");
  const nameOf = (i: number): string =>
    shards.length === 1 ? singleName : `model-${String(i + 1).padStart(5, "0")}-of-${count}.safetensors`;
  const files = shards.map((shard, i) => {
    writeRawSafetensors(join(folder, nameOf(i)), shard, { metadata });
    return nameOf(i);
  });
  if (shards.length > 1) {
    const weightMap = shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)] as const));
    const totalSize = shards.flat().reduce((sum, { bytes }) => sum + bytes, 0);
    const index = { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(weightMap.sort()) };
    replaceWith(join(folder, indexName), `${JSON.stringify(index, null, 2)}\n`);
    files.push(indexName);
  }
  for (const name of readdirSync(folder))
    if (isModelFile(name) && !files.includes(name)) rmSync(join(folder, name));
  return files;
}

function isModelFile(name: string): boolean {
  return name === singleName || name === indexName || /^model-\d{5}-of-\d{5}\.safetensors$/.test(name);
}

function partition(tensors: readonly RawTensor[], most: number): RawTensor[][] {
  const shards: RawTensor[][] = [[]];
  let bytes = 0;
  for (const each of tensors) {
    if (bytes > 0 && bytes + each.bytes > most) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(each);
    bytes += each.bytes;
  }
  return shards;
}
