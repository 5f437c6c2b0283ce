// What one file and a folder of shards have in common.

import { distance } from "fastest-levenshtein";
import type { Tensor } from "../tensor.ts";
import { SafetensorsError } from "./format/errors.ts";

export interface TensorInfo {
  /** As the file writes it: "BF16". */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** The file that holds it. */
  readonly file: string;
}

/** Named tensors on disk. */
export interface TensorSource extends Disposable {
  readonly path: string;
  readonly names: string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** @throws {SafetensorsError} for an unknown name */
  info(name: string): TensorInfo;
  /**
   * The tensor as a view of the mapped file: nothing is read before it is touched, and writes to it stay in memory.
   * A copy where the file's layout is not aligned to the dtype.
   * @throws {SafetensorsError} for an unknown name and for a dtype that libtorch has no tensors of
   */
  tensor(name: string): Tensor;
}

/** @internal */
export function unknownTensor(path: string, name: string, names: readonly string[]): SafetensorsError {
  const [nearest] = [...names].sort((a, b) => distance(a, name) - distance(b, name));
  return new SafetensorsError(path, "unknown-tensor", "there is none of this name", {
    tensor: name,
    hint: nearest === undefined ? "the file holds no tensors" : `did you mean ${JSON.stringify(nearest)}?`,
  });
}
