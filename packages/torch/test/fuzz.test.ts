// The typed face with random arguments: no call ends the process, throws anything but an error of its own, leaks a
// tensor or gives elements that can't be read. `node test/support/typescript.mjs test/fuzz/main.ts <seed> 0 <calls>
// <trace file>` runs more; the trace file then holds the call that was last begun.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as torch from "../src/index.ts";
import { operatorSignatures, otherSignatures } from "./fuzz/signatures.ts";
import { runChild } from "./support/child.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Not called: what opens and writes files, whose damaged headers have a test of their own in src/safetensors, and
 * classes, whose members are called.
 */
const uncalled = new Set(
  "openSafetensors readSafetensors writeSafetensors writeShardedSafetensors operatorTimes chromeTrace".split(
    " ",
  ),
);

test("every exported function is called", () => {
  const called = { ...operatorSignatures, ...otherSignatures };
  const missing = Object.entries(torch)
    .filter(([name, value]) => typeof value === "function" && !/^[A-Z]/.test(name) && !uncalled.has(name))
    .map(([name]) => name)
    .filter((name) => !Object.hasOwn(called, name));
  expect(missing).toEqual([]);
});

/**
 * What returns at most by chance: the first two have calls with arguments that fit as well, `loadLibrary` is only given
 * libraries that are not there, `adamwStep_` and `adamwSteps_` want tensors without gradients that share no memory, and
 * `packedAttentionRecalled` what `packedAttentionStatistics` gave.
 */
const silentByDesign = [
  ...["grad", "gradcheck", "loadLibrary", "adamwStep_", "adamwSteps_"],
  "packedAttentionRecalled",
];

/** Of each seed, what never returned. */
const silences: string[][] = [];

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
    const { calls, returned, threw, silent, peakBytes } = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
      calls: number;
      returned: number;
      threw: number;
      silent: string[];
      peakBytes: number;
    };
    expect(calls).toBe(CALLS);
    expect(returned + threw).toBe(CALLS);
    // A fuzz whose calls are all refused tests the refusals alone.
    expect(returned).toBeGreaterThan(CALLS / 4);
    silences.push(silent);
    // Node and libtorch themselves take about 300 MB; no call may ask for much more and get it.
    expect(peakBytes).toBeLessThan(2 ** 30);
  },
  300_000,
);

test("every function gave a result in one seed or another", () => {
  const [first = [], ...others] = silences;
  expect(silences).toHaveLength(4);
  expect(
    first.filter((name) => !silentByDesign.includes(name) && others.every((silent) => silent.includes(name))),
  ).toEqual([]);
});
