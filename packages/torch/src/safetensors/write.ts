// Writes safetensors files so that a reader sees the old file or the whole new one: under another name first, then
// renamed. One tensor at a time is in memory beside those given.

import { readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { itemSize } from "../dtype.ts";
import { replaceFile } from "../files/atomic.ts";
import { cpu, detach } from "../functions/conversion.ts";
import { contiguous } from "../functions/shape.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { SafetensorsError } from "./format/errors.ts";
import { dtypes } from "./format/header.ts";
import { indexName, singleName } from "./format/layout.ts";

export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

export interface WriteOptions {
  /** Strings to keep in the header; Hugging Face's tools look for { format: "pt" }. */
  metadata?: Readonly<Record<string, string>>;
}

const codes = new Map(Object.entries(dtypes).map(([code, dtype]) => [dtype, code]));

interface Plan {
  readonly name: string;
  readonly tensor: Tensor;
  readonly code: string;
  readonly bytes: number;
}

/** Largest elements first, then by name, as the reference implementation orders them: all stay aligned. */
function plan(path: string, tensors: NamedTensors): Plan[] {
  const entries = tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, Tensor>);
  const plans = entries.map(([name, tensor]): Plan => {
    const { dtype, numel } = tensor;
    const code = codes.get(dtype);
    if (code === undefined)
      throw new SafetensorsError(path, "unsupported-dtype", `the format has no ${dtype}`, { tensor: name });
    if (name === "__metadata__")
      throw new SafetensorsError(path, "header", "is a name that the format keeps for itself", {
        tensor: name,
      });
    return { name, tensor, code, bytes: numel * itemSize(dtype) };
  });
  const size = (each: Plan): number => itemSize(each.tensor.dtype);
  return plans.sort((a, b) => size(b) - size(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The length and the JSON, padded with spaces so that the data begins at a multiple of 8. */
function headerBytes(
  plans: readonly Plan[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const entries: [string, unknown][] = metadata === undefined ? [] : [["__metadata__", metadata]];
  let begin = 0;
  for (const { name, tensor, code, bytes } of plans) {
    entries.push([name, { dtype: code, shape: tensor.shape, data_offsets: [begin, begin + bytes] }]);
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
    if (cause instanceof SafetensorsError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const hint =
      code === "ENOSPC" || code === "EFBIG"
        ? "free some space; the file that was there is intact"
        : undefined;
    throw new SafetensorsError(path, "write", `can't be written: ${(cause as Error).message}`, {
      cause,
      hint,
    });
  }
}

/**
 * Writes tensors to one file. Tensors that share memory are written each by itself.
 * @throws {SafetensorsError} where the disk refuses; what was at `path` before is intact then
 */
export function writeSafetensors(path: string, tensors: NamedTensors, { metadata }: WriteOptions = {}): void {
  const plans = plan(path, tensors);
  const header = headerBytes(plans, metadata);
  replaceWith(path, (file) => {
    writeAll(file, header);
    for (const { tensor } of plans)
      scope(() => {
        const { buffer, byteOffset, byteLength } = contiguous(cpu(detach(tensor))).asTypedArray();
        writeAll(file, new Uint8Array(buffer, byteOffset, byteLength));
      });
  });
}

export interface WriteShardedOptions extends WriteOptions {
  /** The most that the data of one shard may take, unless a single tensor takes more; 5 GB where left out. */
  maxShardBytes?: number;
}

/**
 * Writes tensors into a folder as Hugging Face's tools do: `model.safetensors` where they fit one shard, else
 * `model-00001-of-0000N.safetensors` and an index. The index comes last and stale shards go after it.
 * @returns the files written
 * @throws {SafetensorsError}
 */
export function writeShardedSafetensors(
  folder: string,
  tensors: NamedTensors,
  options: WriteShardedOptions = {},
): string[] {
  const { maxShardBytes = 5e9, metadata } = options;
  const shards = partition(plan(folder, tensors), maxShardBytes);
  const count = String(shards.length).padStart(5, "0");
  const nameOf = (i: number): string =>
    shards.length === 1 ? singleName : `model-${String(i + 1).padStart(5, "0")}-of-${count}.safetensors`;
  const files = shards.map((shard, i) => {
    writeSafetensors(join(folder, nameOf(i)), new Map(shard.map(({ name, tensor }) => [name, tensor])), {
      metadata: metadata ?? {},
    });
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

function partition(plans: readonly Plan[], most: number): Plan[][] {
  const shards: Plan[][] = [[]];
  let bytes = 0;
  for (const each of plans) {
    if (bytes > 0 && bytes + each.bytes > most) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(each);
    bytes += each.bytes;
  }
  return shards;
}
