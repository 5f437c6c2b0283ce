// Uniform numbers of one sequence: the same from the same seed, on every machine and in every batch.
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Draws from [0, 1). */
export type UniformDraw = () => number;

/** @param seed a whole number; its lower 32 bits count */
export function uniformDraw(seed: number): UniformDraw {
  const generator = xoroshiro128plus(scrambled(seed));
  return () => uniformFloat64(generator);
}

/** MurmurHash3's finalizer: neighboring seeds would otherwise begin with neighboring numbers. */
function scrambled(seed: number): number {
  let hash = (Number(BigInt.asUintN(32, BigInt(seed))) ^ 0x9e3779b9) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) | 0;
}
