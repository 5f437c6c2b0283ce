// Whole or absent: atomic writes, and who wrote them. Loads nothing native.
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
  statOf,
} from "./atomic.ts";
export {
  isAlive,
  isRunning,
  isTagRunning,
  type ProcessIdentity,
  processTag,
  thisProcess,
} from "./process.ts";
