// 64-bit hashes of texts, and a set of them that a million rows fill with 32 MB: what duplicates are counted by.

/** Two 32-bit halves. */
export type Hash = readonly [number, number];

/** Odd multipliers of two multiplicative hashes that run side by side: Knuth's 2³² / φ, and another of its size. */
const FIRST = 2654435761;
const SECOND = 1597334677;

/** Takes texts in turn; their borders count. */
export class TextHash {
  #a = 0xdeadbeef;
  #b = 0x41c6ce57;

  add(text: string): this {
    let [a, b] = [this.#a, this.#b];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, FIRST);
      b = Math.imul(b ^ code, SECOND);
    }
    // No UTF-16 unit has this value.
    this.#a = Math.imul(a ^ 0x10000, FIRST);
    this.#b = Math.imul(b ^ 0x10000, SECOND);
    return this;
  }

  /** The hash of what was added so far; more may follow. */
  get value(): Hash {
    // The halves are mixed into each other, since the last texts would otherwise move the low bits alone.
    const a =
      Math.imul(this.#a ^ (this.#a >>> 16), 2246822507) ^ Math.imul(this.#b ^ (this.#b >>> 13), 3266489909);
    const b = Math.imul(this.#b ^ (this.#b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return [a >>> 0, b >>> 0];
  }
}

/** A set of hashes: open addressing, at most half full. */
export class HashSet {
  #table = new Uint32Array(2 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add([a, b]: Hash): void {
    // An empty place holds two zeros.
    const second = a === 0 && b === 0 ? 1 : b;
    if (4 * this.#size >= this.#table.length) this.#grow();
    if (this.#put(this.#table, a, second)) this.#size++;
  }

  #put(table: Uint32Array, a: number, b: number): boolean {
    const mask = table.length / 2 - 1;
    for (let place = a & mask; ; place = (place + 1) & mask) {
      const [first, second] = [table[2 * place]!, table[2 * place + 1]!];
      if (first === a && second === b) return false;
      if (first !== 0 || second !== 0) continue;
      table[2 * place] = a;
      table[2 * place + 1] = b;
      return true;
    }
  }

  #grow(): void {
    const next = new Uint32Array(2 * this.#table.length);
    for (let i = 0; i < this.#table.length; i += 2) {
      const [a, b] = [this.#table[i]!, this.#table[i + 1]!];
      if (a !== 0 || b !== 0) this.#put(next, a, b);
    }
    this.#table = next;
  }
}
