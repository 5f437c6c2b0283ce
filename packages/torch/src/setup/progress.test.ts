import { describe, expect, it } from "vitest";
import { progressOf } from "./progress.ts";

function run(isTTY: boolean): { lines: string[]; drawn: string[] } {
  const lines: string[] = [];
  const drawn: string[] = [];
  const terminal = { isTTY, columns: 100, write: (text: string) => drawn.push(text) };
  let time = 0;
  const progress = progressOf([45, 45, 5, 5], 2, {
    log: (line) => lines.push(line),
    terminal: terminal as unknown as NodeJS.WriteStream,
    now: () => time,
  });
  for (const weight of [45, 5, 45, 5]) {
    time += weight * 1000;
    progress.done(weight);
  }
  progress.end();
  return { lines, drawn };
}

describe("progressOf", () => {
  it("prints a few lines where there is no terminal", () => {
    expect(run(false)).toEqual({
      lines: [
        "compiling 4 C++ files, 2 at a time",
        "  compiling 4 C++ files: 1 done, about 55 s left",
        "  compiling 4 C++ files: 3 done, about 5 s left",
      ],
      drawn: [],
    });
  });

  it("draws a bar over itself on a terminal, and takes it away at the end", () => {
    const { lines, drawn } = run(true);
    expect(lines).toEqual([]);
    expect(drawn.slice(0, 2)).toEqual([
      "\r\u001b[2K──────────────────────── compiling 4 C++ files: 0 done",
      "\r\u001b[2K━━━━━━━━━━━───────────── compiling 4 C++ files: 1 done, about 55 s left",
    ]);
    expect(drawn.at(-1)).toBe("\r\u001b[2K");
  });
});
