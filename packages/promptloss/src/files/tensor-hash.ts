// Weights into a hash: whole up to a bound, beyond it blocks of every tensor stand for it, so that gigabytes are not read.
import type { Hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import type { TensorPlace } from "@promptloss/torch/files";

/** Weights of up to so many bytes in all are hashed whole. */
export const WHOLE_BYTES = 256 << 20;

/** Of a tensor that is not read whole: so many blocks of so many bytes, evenly spaced, its first and last among them. */
const BLOCKS = 32;
const BLOCK_BYTES = 4096;
/** Tensors up to this size are read whole in any model. */
const SMALL_BYTES = BLOCKS * BLOCK_BYTES;

/** Adds tensors, by their names, to a hash. @param wholeBytes the most that is read whole */
export function addTensors(
  hash: Hash,
  places: readonly TensorPlace[],
  wholeBytes: number = WHOLE_BYTES,
): void {
  const whole = places.reduce((sum, { bytes }) => sum + bytes, 0) <= wholeBytes;
  const files = new Map<string, number>();
  try {
    for (const place of [...places].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const { name, dtype, shape, bytes } = place;
      hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
      if (!files.has(place.file)) files.set(place.file, openSync(place.file, "r"));
      const file = files.get(place.file)!;
      if (whole || bytes <= SMALL_BYTES) addBytes(hash, file, place.begin, bytes);
      else
        for (let block = 0; block < BLOCKS; block++) {
          const start = Math.floor(((bytes - BLOCK_BYTES) * block) / (BLOCKS - 1));
          addBytes(hash, file, place.begin + start, BLOCK_BYTES);
        }
    }
  } finally {
    for (const file of files.values()) closeSync(file);
  }
}

const CHUNK = Buffer.alloc(1 << 20);

/** Adds a stretch of a file. */
export function addBytes(hash: Hash, file: number, begin: number, length: number): void {
  for (let done = 0; done < length; ) {
    const count = readSync(file, CHUNK, 0, Math.min(CHUNK.length, length - done), begin + done);
    if (count === 0) return;
    hash.update(CHUNK.subarray(0, count));
    done += count;
  }
}
