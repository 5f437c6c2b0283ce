// Where the tensors of a safetensors file, or of a folder of shards, lie. Reads headers and the index alone; pure.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isLfsPointer, LFS_POINTER } from "../../files/lfs.ts";
import { whyNot } from "../../files/read-errors.ts";
import { SafetensorsError } from "./errors.ts";
import { type Header, headerLength, lengthBytes, parseHeader } from "./header.ts";

export const indexName = "model.safetensors.index.json";
export const singleName = "model.safetensors";

/** Enough to know a Git LFS pointer by. */
const POINTER_BYTES = 64;

/** A tensor on disk. */
export interface TensorPlace {
  readonly name: string;
  /** As the file writes it: "BF16". */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly begin: number;
  readonly bytes: number;
}

/**
 * Every tensor of a safetensors file, an index of shards, or a folder with one of the two.
 * @throws {SafetensorsError} for files that are missing or damaged
 */
export function tensorPlaces(path: string): TensorPlace[] {
  const file = weightsFile(path);
  if (!file.endsWith(".index.json")) return placesOf(file);
  const fileOf = readWeightMap(file);
  return [...new Set(fileOf.values())].flatMap((shard) =>
    placesOf(shardPath(file, shard)).filter(({ name }) => fileOf.get(name) === shard),
  );
}

function placesOf(file: string): TensorPlace[] {
  const { header } = readHeader(file);
  return [...header.entries.values()].map(({ name, dtype, shape, begin, end }) => ({
    ...{ name, dtype, shape, file },
    begin: header.dataStart + begin,
    bytes: end - begin,
  }));
}

/**
 * The file that a path means: itself, or in a folder the single file or the index of shards.
 * @throws {SafetensorsError} where there is none
 */
export function weightsFile(path: string): string {
  if (!existsSync(path)) throw new SafetensorsError(path, "missing", "there is no such file or folder");
  if (!statSync(path).isDirectory()) return path;
  const name = [singleName, indexName].find((each) => existsSync(join(path, each)));
  if (name !== undefined) return join(path, name);
  throw new SafetensorsError(path, "missing", `holds neither ${singleName} nor ${indexName}`, {
    hint: "a model saved as pytorch_model.bin is converted by loading and saving it with transformers",
  });
}

/** @throws {SafetensorsError} where the shard is not there */
export function shardPath(index: string, shard: string): string {
  const path = join(dirname(index), shard);
  if (!existsSync(path))
    throw new SafetensorsError(index, "index", `names the shard ${shard}, which is not there`, {
      hint: "download all shards of the model",
    });
  return path;
}

/** Which shard holds which tensor. @throws {SafetensorsError} for an index that is none */
export function readWeightMap(path: string): Map<string, string> {
  let json: unknown;
  try {
    const text = readFileSync(path, "utf8");
    if (isLfsPointer(text))
      throw new SafetensorsError(path, "pointer", LFS_POINTER.message, { hint: LFS_POINTER.hint });
    json = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SafetensorsError) throw cause;
    throw new SafetensorsError(path, "index", `is no JSON: ${(cause as Error).message}`, { cause });
  }
  const weightMap = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weightMap !== "object" || weightMap === null || Array.isArray(weightMap))
    throw new SafetensorsError(path, "index", "has no weight_map object");
  for (const [name, file] of Object.entries(weightMap))
    if (typeof file !== "string" || file.includes("/") || file.includes("\\"))
      throw new SafetensorsError(
        path,
        "index",
        `${JSON.stringify(file)} is no name of a shard beside the index`,
        {
          tensor: name,
        },
      );
  return new Map(Object.entries(weightMap as Record<string, string>));
}

/** @throws {SafetensorsError} for a file that is missing, cut off or damaged */
export function readHeader(path: string): { header: Header; bytes: number } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new SafetensorsError(path, "missing", whyNot(cause), { cause });
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new SafetensorsError(path, "missing", "is no file");
    const bytes = status.size;
    const read = (position: number, length: number): Uint8Array => {
      const buffer = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const count = readSync(file, buffer, done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return buffer.subarray(0, done);
    };
    if (isLfsPointer(read(0, POINTER_BYTES)))
      throw new SafetensorsError(path, "pointer", LFS_POINTER.message, { hint: LFS_POINTER.hint });
    const length = headerLength(path, read(0, lengthBytes), bytes);
    return { header: parseHeader(path, read(lengthBytes, length), bytes - lengthBytes - length), bytes };
  } finally {
    closeSync(file);
  }
}
