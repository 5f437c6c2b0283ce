// Random choices that repeat: each call of the fuzz has a generator of its own, from the run's seed and its number,
// so that one call can be made again without those before it.
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Source {
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
}

export function sourceOf(seed: number, call: number): Source {
  // Multiplied by odd constants so that neighboring seeds and calls do not start alike.
  const generator = xoroshiro128plus((Math.imul(seed, 0x9e3779b1) ^ Math.imul(call + 1, 0x85ebca6b)) | 0);
  const int = (low: number, high: number): number => uniformInt(generator, low, high);
  return {
    int,
    chance: (probability) => int(0, 9999) < probability * 10_000,
    pick: (choices) => choices[int(0, choices.length - 1)] as (typeof choices)[number],
  };
}
