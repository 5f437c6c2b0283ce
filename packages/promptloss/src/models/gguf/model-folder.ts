// What stands where a model's folder is asked for. A model of the hub is downloaded into Hugging Face's cache. A GGUF
// file is rewritten once, into the user's cache, under a hash of its content, so that everything that reads folders reads
// it, and the second time nothing is left to do. Blocks stay blocks, so the copy is about as large as the file, and whoever
// reads a file the first time is told; it may be deleted at any time.
import { createHash } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { restoreFolders } from "@promptloss/torch/files";
import { cacheFolder, thisMachine } from "@promptloss/torch/machine";
import { makeFolder } from "../../files/atomic.ts";
import { addBytes, addTensors } from "../../files/tensor-hash.ts";
import { hubModelFolder } from "../../hub/download-now.ts";
import { hubModelName, type ModelNeed } from "../../hub/model.ts";
import { readGgufHead } from "./format/read.ts";
import { type ImportedGguf, importGguf } from "./import.ts";

/** Of what importing writes: another number is another folder. */
const VERSION = 2;

/** The channel of `node:diagnostics_channel` that is told of every file before it is expanded. */
export const GGUF_CHANNEL = "promptloss:gguf";

/** What the channel is told. */
export interface GgufMessage extends ImportedGguf {
  readonly file: string;
  readonly folder: string;
}

/** By path, time and size, so that a process reads a file's head once. */
const known = new Map<string, string>();

/** Whether a path is to be read as a GGUF file: by its name, as its content may be damaged. */
export function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path) && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}

/**
 * The folder that a model's name means: for a model of the hub, as `hubModelName` reads them, the one in Hugging Face's
 * cache, to which it is downloaded; for a GGUF file the one in the user's cache that it was expanded to, which is
 * written where it is not there; any other path as it is. A path that exists is never taken for a name of the hub.
 * @param need `tokenizer` where the weights of a model of the hub are not needed
 * @throws {HubError} for a name of the hub that can't be had, {GgufError} for a file that is damaged or not supported,
 * {OutputError} where a cache can't be written
 * @example
 * ```ts
 * import { modelFolder } from "promptloss/models";
 *
 * console.log(modelFolder("./model"));
 * ```
 */
export function modelFolder(named: string, need: ModelNeed = "model"): string {
  const path = modelPlace(named, need);
  if (!isGguf(path)) return path;
  const { mtimeMs, size } = statSync(path);
  const key = `${resolve(path)} ${mtimeMs} ${size}`;
  const before = known.get(key);
  if (before !== undefined && existsSync(before)) return before;
  const parent = join(cacheFolder(thisMachine()), "models");
  const name = basename(path)
    .replace(/\.gguf$/i, "")
    .replaceAll(/[^\w.-]/g, "_");
  const folder = join(parent, `${name}-${contentHash(path).slice(0, 16)}`);
  makeFolder(parent);
  restoreFolders(parent);
  if (!existsSync(folder)) {
    const onStart = (imported: ImportedGguf): void =>
      channel(GGUF_CHANNEL).publish({ ...imported, file: path, folder } satisfies GgufMessage);
    importGguf(path, folder, { keepBlocks: true, onStart });
  }
  known.set(key, folder);
  return folder;
}

/**
 * Where a model is that may be on the hub: its folder or its GGUF file, which is downloaded; any other path as it is.
 * @throws {HubError} for a name of the hub that can't be had
 */
export function modelPlace(named: string, need: ModelNeed = "model"): string {
  const onHub = existsSync(named) ? undefined : hubModelName(named);
  return onHub === undefined || isRestored(named) ? named : hubModelFolder(onHub, need);
}

/** Whether a folder whose replacing was broken off is back at its place. */
function isRestored(path: string): boolean {
  const parent = dirname(resolve(path));
  if (!existsSync(parent)) return false;
  restoreFolders(parent);
  return existsSync(path);
}

function contentHash(path: string): string {
  const { tensors, dataStart } = readGgufHead(path);
  const hash = createHash("sha256").update(`gguf ${VERSION}\n`);
  const file = openSync(path, "r");
  try {
    addBytes(hash, file, 0, dataStart);
  } finally {
    closeSync(file);
  }
  const places = [...tensors.values()].map(({ name, type, shape, begin, bytes }) => ({
    ...{ name, dtype: type.name, shape, file: path, begin, bytes },
  }));
  addTensors(hash, places);
  return hash.digest("hex");
}
