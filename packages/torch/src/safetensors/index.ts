// safetensors: named tensors on disk.
export { SafetensorsError, type SafetensorsReason } from "./format/errors.ts";
export { openSafetensors, readSafetensors } from "./sharded.ts";
export type { TensorInfo, TensorSource } from "./source.ts";
export {
  type LazyTensor,
  type NamedTensors,
  type TensorToWrite,
  type WriteOptions,
  type WriteShardedOptions,
  writeSafetensors,
  writeShardedSafetensors,
} from "./write.ts";
