// Numbers of tokens that keep coming: four bytes each, in one typed array that grows.

export class Lengths {
  #values = new Int32Array(1024);
  #count = 0;

  /** Appends a 0. */
  grow(): void {
    if (this.#count === this.#values.length) {
      const next = new Int32Array(2 * this.#count);
      next.set(this.#values);
      this.#values = next;
    }
    this.#count++;
  }

  add(index: number, tokens: number): void {
    this.#values[index]! += tokens;
  }

  get values(): Int32Array {
    return this.#values.subarray(0, this.#count);
  }
}
