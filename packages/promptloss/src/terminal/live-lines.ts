// Lines that stay, and below them on a terminal lines that are painted anew. Elsewhere only those that stay.
import type { WriteStream } from "node:tty";
import { controlMark } from "./door.ts";

export class LiveLines {
  readonly #out: WriteStream;
  #painted = 0;
  #shown: readonly string[] = [];

  constructor(out: WriteStream) {
    this.#out = out;
  }

  /** A line that stays, above the painted ones. */
  print(line: string): void {
    this.#clear();
    this.#out.write(`${line}\n`);
    this.#paint();
  }

  /** What is painted now, in place of what was. */
  show(lines: readonly string[]): void {
    this.#clear();
    this.#shown = lines;
    this.#paint();
  }

  #clear(): void {
    if (this.#painted > 0) this.#out.write(`${controlMark()}[${this.#painted}A${controlMark()}[J`);
    this.#painted = 0;
  }

  #paint(): void {
    if (!this.#out.isTTY) return;
    // A line that wraps, or that has left the screen, could not be painted over.
    const lines = this.#shown.slice(0, Math.max(1, this.#out.rows - 2));
    for (const line of lines) this.#out.write(`${clipped(line, this.#out.columns - 1)}\n`);
    this.#painted = lines.length;
  }
}

/** The first `columns` characters of a line, and all of its colors' codes, which take no room. */
export function clipped(line: string, columns = Number.POSITIVE_INFINITY): string {
  // A color's code, or a character.
  const pieces = line.match(new RegExp(`${controlMark()}\\[[0-9;]*m|[\\s\\S]`, "gu")) ?? [];
  let room = columns;
  return pieces.filter((piece) => piece.length > 2 || room-- > 0).join("");
}
