// Seeded choices over a stream of unknown length: a share of the rows, or a sample of fixed size.
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export type Random = ReturnType<typeof xoroshiro128plus>;

/** A generator for one use: the seed, the number of the source and of the use keep the streams apart. */
export function randomFor(seed: number, source: number, use: number): Random {
  const words = [seed | 0, Math.floor(seed / 2 ** 32) | 0, source, use];
  const random = xoroshiro128plus(words.reduce(mix, 0x9e3779b9 | 0));
  // The first draws of seeds that differ in few bits are alike; twenty steps spread every bit over the state.
  for (let i = 0; i < 20; i++) random.next();
  return random;
}

/** Murmur3's finalizer over one more word. */
function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/**
 * Takes the share of the items, between 0 and 1: of each run of 1/share items one, at random. So n items leave
 * between ⌊n·share⌋ and ⌈n·share⌉, spread evenly.
 */
export async function* takeShare<T>(
  items: AsyncIterable<T>,
  share: number,
  random: Random,
): AsyncGenerator<T, void> {
  let index = 0;
  let runEnd = 0;
  let chosen = 0;
  let run = 0;
  for await (const item of items) {
    if (index === runEnd) {
      run++;
      // A millionth of an item makes 10 · 0.1 the 1 that it is meant to be.
      runEnd = Math.max(index + 1, Math.ceil(run / share - 1e-6));
      chosen = uniformInt(random, index, runEnd - 1);
    }
    if (index === chosen) yield item;
    index++;
  }
}

/** At most `count` of the items, each with the same chance, in their order (reservoir sampling). */
export async function sampleItems<T>(items: AsyncIterable<T>, count: number, random: Random): Promise<T[]> {
  const kept: { index: number; item: T }[] = [];
  let index = 0;
  for await (const item of items) {
    if (kept.length < count) kept.push({ index, item });
    else {
      const slot = Math.floor(uniformFloat64(random) * (index + 1));
      if (slot < count) kept[slot] = { index, item };
    }
    index++;
  }
  return kept.sort((a, b) => a.index - b.index).map(({ item }) => item);
}
