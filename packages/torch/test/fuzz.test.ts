// The typed face with random arguments: no call ends the process, throws anything but an error of its own, leaks a
// tensor or gives elements that can't be read. `node test/support/typescript.mjs test/fuzz/main.ts <seed> 0 <calls>
// <trace file>` runs more; the trace file then holds the call that was last begun.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runChild } from "./support/child.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Calls of all seeds: 100,000. */
const CALLS = 25_000;

test.each([1, 2, 3, 4])(
  `${CALLS} random calls of seed %i`,
  (seed) => {
    const trace = join(folder, String(seed));
    const { status, signal, stdout, stderr } = runChild("fuzz/main.ts", {
      args: [String(seed), "0", String(CALLS - 1), trace],
      timeout: 300_000,
    });
    if (status !== 0)
      throw new Error(
        `ended with ${signal ?? status} in ${readFileSync(trace, "utf8")}\n${stdout}\n${stderr}`,
      );
    const { calls, returned, threw, silent } = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
      calls: number;
      returned: number;
      threw: number;
      silent: string[];
    };
    expect(calls).toBe(CALLS);
    expect(returned + threw).toBe(CALLS);
    // A fuzz whose calls are all refused tests the refusals alone.
    expect(returned).toBeGreaterThan(CALLS / 4);
    expect(silent.length).toBeLessThan(40);
  },
  300_000,
);
