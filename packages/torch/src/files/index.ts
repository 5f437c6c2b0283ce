// Files without anything native: atomic writes, processes, Git LFS pointers, tensors' bytes in safetensors.

export { type TensorPlace, tensorPlaces } from "../safetensors/format/layout.ts";
export { type RawTensor, writeRawSafetensors, writeRawShards } from "../safetensors/format/write.ts";
export {
  draftOf,
  type FileContent,
  flush,
  isDraft,
  makeFolder,
  putInPlace,
  removeDrafts,
  replaceFile,
  replaceFileWith,
  replaceFolder,
  restoreFolders,
  statOf,
} from "./atomic.ts";
export { isLfsPointer, LFS_POINTER } from "./lfs.ts";
export {
  isAlive,
  isRunning,
  isTagRunning,
  type ProcessIdentity,
  processTag,
  thisProcess,
} from "./process.ts";
export { whyNot } from "./read-errors.ts";
export { whyNotWritten } from "./write-errors.ts";
