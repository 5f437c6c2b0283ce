// Counters and bars on standard error that a person can watch; silent where nobody does.
import type { HubOptions } from "../data/rows/index.ts";
import { rewritten } from "../terminal/index.ts";
import { bytes } from "./train/format.ts";

const INTERVAL_MS = 100;

/** One line that is written over and over. */
class StatusLine {
  #last = 0;
  #shown = false;

  show(text: () => string): void {
    if (!process.stderr.isTTY) return;
    const now = Date.now();
    if (now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    this.#shown = true;
    process.stderr.write(rewritten(text()));
  }

  end(): void {
    if (this.#shown) process.stderr.write(rewritten(""));
    this.#shown = false;
  }
}

export class Progress {
  readonly #unit: string;
  readonly #total: number | undefined;
  readonly #line = new StatusLine();

  constructor(unit: string, total?: number) {
    this.#unit = unit;
    this.#total = total;
  }

  show(done: number): void {
    const of = this.#total === undefined ? "" : ` of ${this.#total.toLocaleString("en-US")}`;
    this.#line.show(() => `${done.toLocaleString("en-US")}${of} ${this.#unit}`);
  }

  end(): void {
    this.#line.end();
  }
}

const BAR = 24;

/** Downloads from the hub as a bar. */
export function watchedHub(): HubOptions {
  const line = new StatusLine();
  return {
    onProgress: ({ file, loaded, total }) => {
      if (loaded >= total) line.end();
      else line.show(() => downloadLine(file, loaded, total));
    },
  };
}

function downloadLine(file: string, loaded: number, total: number): string {
  const filled = Math.floor((BAR * loaded) / total);
  const bar = "━".repeat(filled) + "─".repeat(BAR - filled);
  return `${bar} ${bytes(loaded)} of ${bytes(total)}  ${file}`;
}
