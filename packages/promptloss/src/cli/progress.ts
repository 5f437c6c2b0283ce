// A counter on standard error that a person can watch; silent where nobody does.

const INTERVAL_MS = 100;

export class Progress {
  readonly #unit: string;
  readonly #total: number | undefined;
  #last = 0;
  #shown = false;

  constructor(unit: string, total?: number) {
    this.#unit = unit;
    this.#total = total;
  }

  show(done: number): void {
    if (!process.stderr.isTTY) return;
    const now = Date.now();
    if (now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    this.#shown = true;
    const of = this.#total === undefined ? "" : ` of ${this.#total.toLocaleString("en-US")}`;
    process.stderr.write(`\r${done.toLocaleString("en-US")}${of} ${this.#unit}\x1b[K`);
  }

  end(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
  }
}
