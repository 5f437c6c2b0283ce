// Counters and bars on standard error that a person can watch; silent where nobody does.
import type { HubMessage, HubOptions } from "../hub/index.ts";
import { barLine, clipped, rewritten } from "../terminal/index.ts";
import { printNotes } from "./notes.ts";
import { bytes } from "./train/format.ts";

const INTERVAL_MS = 100;

/** Columns of a line that is written over and over: one that wraps could not be. */
export function lineWidth(out: NodeJS.WriteStream): number | undefined {
  return out.columns === undefined ? undefined : out.columns - 1;
}

/** One line that is written over and over. */
export class StatusLine {
  #last = 0;
  #shown = false;

  show(text: () => string): void {
    if (!process.stderr.isTTY) return;
    const now = Date.now();
    if (now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    this.#shown = true;
    process.stderr.write(rewritten(clipped(text(), lineWidth(process.stderr))));
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

/** Downloads of models as a bar, and what is to be known of them. */
export function watchedModels(): (message: HubMessage) => void {
  const { onProgress } = watchedHub();
  return (message) => {
    if (message.type === "progress") onProgress?.(message);
    else printNotes([message.text]);
  };
}

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
  return barLine(loaded / total, `${bytes(loaded)} of ${bytes(total)}  ${file}`, lineWidth(process.stderr));
}
