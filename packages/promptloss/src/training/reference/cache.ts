// Numbers of a reference model on disk, so that they are computed once for a model and a data set: whatever the weights,
// the rule's own options and the run, and in the middle of a study too.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  fromTypedArray,
  openSafetensors,
  SafetensorsError,
  scope,
  writeSafetensors,
} from "@promptloss/torch";
import { cacheFolder, thisMachine } from "@promptloss/torch/machine";

import { markUsed, tidyCaches } from "../../data/cache/index.ts";
import { makeFolder, removeDrafts } from "../../files/atomic.ts";

const VERSION = "1";
const TENSOR = "statistics";
const EXTENSION = "reference";

/** All that the numbers depend on. */
export interface ReferenceKey {
  /** The reference model's identity: config and weights. */
  readonly model: string;
  /** A hash of every row's ids, in order; the data and the template come in by what they made. */
  readonly ids: string;
  /** The statistic, and the dtype of matrix products. */
  readonly how: string;
}

/** Where they are kept where nothing else is said. */
export function referenceCacheFolder(): string {
  return join(cacheFolder(thisMachine()), "reference");
}

/**
 * The numbers of all tokens, end to end, from the cache or else computed and put there. Processes that compute at once each
 * write a draft of their own; the last stays.
 * @param count of tokens
 * @param compute gives them
 * @param onRebuild called with why a file that is there is not used
 */
export function cachedStatistics(
  folder: string,
  key: ReferenceKey,
  count: number,
  compute: () => Float32Array,
  onRebuild: (line: string) => void,
): Float32Array {
  const identity = JSON.stringify({ version: VERSION, ...key });
  const name = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  const path = join(folder, `${name}.${EXTENSION}`);
  if (existsSync(path)) {
    const found = read(path, identity, count);
    if (typeof found !== "string") {
      markUsed(path);
      return found;
    }
    onRebuild(`the numbers of the reference model in ${name}.${EXTENSION} ${found}; they are computed again`);
  }
  const statistics = compute();
  makeFolder(folder);
  removeDrafts(folder);
  scope(() => {
    const metadata = { identity, sha256: hashOf(statistics) };
    writeSafetensors(path, { [TENSOR]: fromTypedArray(statistics) }, { metadata });
  });
  tidyCaches(folder, EXTENSION);
  return statistics;
}

/** The numbers, or what is wrong with the file. */
function read(path: string, identity: string, count: number): Float32Array | string {
  try {
    return scope(() => {
      using file = openSafetensors(path);
      if (file.metadata.identity !== identity) return "are of something else";
      const statistics = Float32Array.from(file.tensor(TENSOR).toTypedArray("float32"));
      const isWhole = statistics.length === count && hashOf(statistics) === file.metadata.sha256;
      return isWhole ? statistics : "are damaged";
    });
  } catch (error) {
    if (error instanceof SafetensorsError) return "are damaged";
    throw error;
  }
}

function hashOf({ buffer, byteOffset, byteLength }: Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
}
