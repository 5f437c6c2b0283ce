// Stop strings in a text that comes in pieces: the text ends before the first of them, wherever the pieces break.

export interface Passed {
  /** Text that no stop string can reach any more. */
  readonly text: string;
  /** The stop string that ended the text. */
  readonly stop: string | undefined;
}

export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";
  #stop: string | undefined;

  /** @param stops none of them empty */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The stop string that has come. */
  get stop(): string | undefined {
    return this.#stop;
  }

  /** Takes text. After a stop string nothing more passes. */
  push(text: string): Passed {
    if (this.#stop !== undefined) return { text: "", stop: this.#stop };
    const all = this.#held + text;
    const found = this.#stops
      .map((stop) => ({ stop, at: all.indexOf(stop) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
    this.#stop = found?.stop;
    const end = found?.at ?? all.length - this.#reach(all);
    this.#held = found === undefined ? all.slice(end) : "";
    return { text: all.slice(0, end), stop: this.#stop };
  }

  /** @returns the text that was held back, where no stop string came of it */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** How much of the end of a text may be the beginning of a stop string. */
  #reach(text: string): number {
    const longest = Math.min(text.length, Math.max(0, ...this.#stops.map((stop) => stop.length - 1)));
    for (let length = longest; length > 0; length--)
      if (this.#stops.some((stop) => stop.length > length && text.endsWith(stop.slice(0, length))))
        return length;
    return 0;
  }
}
