// A model in several safetensors files, with the index that says which tensor lies in which.

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Tensor } from "../tensor.ts";
import { SafetensorsError } from "./errors.ts";
import { SafetensorsFile } from "./file.ts";
import { type TensorInfo, type TensorSource, unknownTensor } from "./source.ts";

export const indexName = "model.safetensors.index.json";
export const singleName = "model.safetensors";

/** Shards as one source. All are opened, and checked against the index, at once. */
export class ShardedSafetensors implements TensorSource {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #files = new Map<string, SafetensorsFile>();
  readonly #fileOf: ReadonlyMap<string, string>;

  /** @throws {SafetensorsError} where index and shards disagree */
  constructor(path: string) {
    this.path = path;
    this.#fileOf = readWeightMap(path);
    try {
      for (const file of new Set(this.#fileOf.values())) this.#files.set(file, this.#open(file));
      this.#check();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    this.metadata = [...this.#files.values()][0]?.metadata ?? {};
  }

  get names(): string[] {
    return [...this.#fileOf.keys()];
  }

  info(name: string): TensorInfo {
    return this.#shard(name).info(name);
  }

  tensor(name: string): Tensor {
    return this.#shard(name).tensor(name);
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
  }

  #shard(name: string): SafetensorsFile {
    const file = this.#files.get(this.#fileOf.get(name) ?? "");
    if (file === undefined) throw unknownTensor(this.path, name, this.names);
    return file;
  }

  #open(file: string): SafetensorsFile {
    const path = join(dirname(this.path), file);
    if (!existsSync(path))
      throw new SafetensorsError(this.path, "index", `names the shard ${file}, which is not there`, {
        hint: "download all shards of the model",
      });
    return new SafetensorsFile(path);
  }

  #check(): void {
    for (const [name, file] of this.#fileOf)
      if (!this.#files.get(file)?.names.includes(name))
        throw new SafetensorsError(this.path, "index", `the shard ${file} does not hold it`, {
          tensor: name,
        });
    for (const [file, shard] of this.#files)
      for (const name of shard.names)
        if (this.#fileOf.get(name) !== file)
          throw new SafetensorsError(
            this.path,
            "index",
            `the shard ${file} holds it, and the index says otherwise`,
            {
              tensor: name,
            },
          );
  }
}

function readWeightMap(path: string): Map<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
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

/**
 * Opens a safetensors file, an index of shards, or a folder with one of the two.
 * @throws {SafetensorsError}
 */
export function openSafetensors(path: string): TensorSource {
  if (!existsSync(path)) throw new SafetensorsError(path, "missing", "there is no such file or folder");
  if (!statSync(path).isDirectory())
    return path.endsWith(".index.json") ? new ShardedSafetensors(path) : new SafetensorsFile(path);
  for (const [name, open] of [
    [singleName, (file: string) => new SafetensorsFile(file)],
    [indexName, (file: string) => new ShardedSafetensors(file)],
  ] as const)
    if (existsSync(join(path, name))) return open(join(path, name));
  throw new SafetensorsError(path, "missing", `holds neither ${singleName} nor ${indexName}`, {
    hint: "a model saved as pytorch_model.bin is converted by loading and saving it with transformers",
  });
}

/** All tensors of a file or folder, as views of its map. @throws {SafetensorsError} */
export function readSafetensors(path: string): Map<string, Tensor> {
  using source = openSafetensors(path);
  return new Map(source.names.map((name) => [name, source.tensor(name)]));
}
