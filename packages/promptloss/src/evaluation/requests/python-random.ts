// Python's random.Random as far as lm-evaluation-harness draws from it: the Mersenne Twister MT19937 (Matsumoto and
// Nishimura, 1998) seeded by an integer, `sample` and `choices`. The same seed gives the same draws as in Python.

const SIZE = 624;
const SHIFT = 397;
/** `sample` keeps a pool up to this many items, plus a set's share; as in CPython. */
const SMALL = 21;

export class PythonRandom {
  readonly #state = new Uint32Array(SIZE);
  #place = SIZE;

  /** @param seed whole, 0 to 2³² − 1 */
  constructor(seed: number) {
    this.#fill(19650218);
    const state = this.#state;
    let i = 1;
    for (let k = SIZE; k > 0; k--) {
      const before = state[i - 1]!;
      state[i] = (state[i]! ^ Math.imul(before ^ (before >>> 30), 1664525)) + seed;
      i = this.#next(i);
    }
    for (let k = SIZE - 1; k > 0; k--) {
      const before = state[i - 1]!;
      state[i] = (state[i]! ^ Math.imul(before ^ (before >>> 30), 1566083941)) - i;
      i = this.#next(i);
    }
    state[0] = 0x80000000;
  }

  /** In [0, 1), 53 bits. */
  random(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** So many different items, in the order drawn. */
  sample<T>(items: readonly T[], count: number): T[] {
    if (count > items.length) throw new RangeError(`a sample of ${count} from ${items.length} items`);
    const set = SMALL + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (items.length <= set) {
      const pool = [...items];
      return Array.from({ length: count }, (_, i) => {
        const at = this.#below(items.length - i);
        const chosen = pool[at]!;
        pool[at] = pool[items.length - i - 1]!;
        return chosen;
      });
    }
    const taken = new Set<number>();
    return Array.from({ length: count }, () => {
      let at = this.#below(items.length);
      while (taken.has(at)) at = this.#below(items.length);
      taken.add(at);
      return items[at]!;
    });
  }

  /** Places of so many items, drawn with replacement. */
  choices(items: number, count: number): number[] {
    return Array.from({ length: count }, () => Math.floor(this.random() * items));
  }

  #fill(seed: number): void {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const before = state[i - 1]!;
      state[i] = Math.imul(before ^ (before >>> 30), 1812433253) + i;
    }
  }

  /** The place after one, 0 left out: the last word goes before the first. */
  #next(place: number): number {
    if (place + 1 < SIZE) return place + 1;
    this.#state[0] = this.#state[SIZE - 1]!;
    return 1;
  }

  #word(): number {
    if (this.#place >= SIZE) this.#twist();
    let y = this.#state[this.#place++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#place = 0;
  }

  /** Whole, 0 to limit − 1: as many bits as the limit has, drawn until they are below it. */
  #below(limit: number): number {
    const bits = 32 - Math.clz32(limit);
    let value = this.#word() >>> (32 - bits);
    while (value >= limit) value = this.#word() >>> (32 - bits);
    return value;
  }
}
