// libtorch's tensors as safetensors files; format/write.ts does the writing. One tensor at a time is in memory beside
// those given.

import { type DType, itemSize } from "../dtype.ts";
import { cpu, detach } from "../functions/conversion.ts";
import { contiguous } from "../functions/shape.ts";
import { scope } from "../scope.ts";
import { Tensor } from "../tensor.ts";
import { SafetensorsError } from "./format/errors.ts";
import { dtypes } from "./format/header.ts";
import {
  type RawTensor,
  type WriteOptions,
  type WriteShardedOptions,
  writeRawSafetensors,
  writeRawShards,
} from "./format/write.ts";

export type { WriteOptions, WriteShardedOptions };

/** A tensor that is not made before it is written, so that not all of a file need be in memory. */
export interface LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Gives it, of that dtype and shape; what it makes is freed when it is written. */
  read(): Tensor;
}

export type TensorToWrite = Tensor | LazyTensor;

export type NamedTensors = ReadonlyMap<string, TensorToWrite> | Readonly<Record<string, TensorToWrite>>;

const codes = new Map(Object.entries(dtypes).map(([code, dtype]) => [dtype, code]));

function raw(path: string, tensors: NamedTensors): RawTensor[] {
  const entries: [string, TensorToWrite][] =
    tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, TensorToWrite>);
  return entries.map(([name, tensor]): RawTensor => {
    const { dtype, shape } = tensor;
    const bytes = shape.reduce((product, size) => product * size, itemSize(dtype));
    const code = codes.get(dtype);
    if (code === undefined)
      throw new SafetensorsError(path, "unsupported-dtype", `the format has no ${dtype}`, { tensor: name });
    return {
      ...{ name, dtype: code, shape, bytes, itemBytes: itemSize(dtype) },
      write: (put) =>
        scope(() => {
          const made = tensor instanceof Tensor ? tensor : tensor.read();
          const { buffer, byteOffset, byteLength } = contiguous(cpu(detach(made))).asTypedArray();
          if (byteLength !== bytes || made.dtype !== dtype)
            throw new SafetensorsError(path, "header", `is ${made.dtype} of ${byteLength} bytes when read`, {
              tensor: name,
            });
          put(new Uint8Array(buffer, byteOffset, byteLength));
        }),
    };
  });
}

/**
 * Writes tensors to one file. Tensors that share memory are written each by itself.
 * @throws {SafetensorsError} where the disk refuses; what was at `path` before is intact then
 */
export function writeSafetensors(path: string, tensors: NamedTensors, options: WriteOptions = {}): void {
  writeRawSafetensors(path, raw(path, tensors), options);
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
  return writeRawShards(folder, raw(folder, tensors), options);
}
