// A model in several safetensors files, with the index that says which tensor lies in which.

import type { Tensor } from "../tensor.ts";
import { SafetensorsFile } from "./file.ts";
import { SafetensorsError } from "./format/errors.ts";
import { readWeightMap, shardPath, weightsFile } from "./format/layout.ts";
import { type TensorInfo, type TensorSource, unknownTensor } from "./source.ts";

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
      for (const file of new Set(this.#fileOf.values()))
        this.#files.set(file, new SafetensorsFile(shardPath(path, file)));
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

/**
 * Opens a safetensors file, an index of shards, or a folder with one of the two.
 * @throws {SafetensorsError}
 */
export function openSafetensors(path: string): TensorSource {
  const file = weightsFile(path);
  return file.endsWith(".index.json") ? new ShardedSafetensors(file) : new SafetensorsFile(file);
}

/** All tensors of a file or folder, as views of its map. @throws {SafetensorsError} */
export function readSafetensors(path: string): Map<string, Tensor> {
  using source = openSafetensors(path);
  return new Map(source.names.map((name) => [name, source.tensor(name)]));
}
