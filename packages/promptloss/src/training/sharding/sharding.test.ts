// What processes compute that divide optimizer, gradients or weights is what one process does.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DType } from "@promptloss/torch";
import { distributedBackends } from "@promptloss/torch/distributed";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { freePort, rankEnvironment } from "../../../../torch/test/support/ranks.ts";
import {
  type ShardedCase,
  type ShardedResult,
  STEPS,
  trainedTo,
  VARIANTS,
} from "../../../test/sharded-runs.ts";

const runner = fileURLToPath(new URL("../../../../torch/test/support/typescript.mjs", import.meta.url));
const program = fileURLToPath(new URL("../../../test/programs/sharded.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sharded-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What `size` processes make of each case. */
async function ofRanks(
  size: number,
  cases: readonly ShardedCase[],
  { until = STEPS, saves = false }: { until?: number; saves?: boolean } = {},
): Promise<ShardedResult[]> {
  const port = await freePort();
  const args = [JSON.stringify(cases), folder, String(until), saves ? "saves" : ""];
  const outputs = Array.from({ length: size }, (_, rank) => {
    const child = spawn(process.execPath, ["--no-warnings", runner, program, ...args], {
      env: { ...process.env, ...rankEnvironment(rank, size, port), OMP_NUM_THREADS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    return new Promise<string>((resolve, reject) =>
      child.once("close", (status) =>
        status === 0 ? resolve(stdout) : reject(new Error(`rank ${rank}: ${status}\n${stderr}`)),
      ),
    );
  });
  const [first] = await Promise.all(outputs);
  return JSON.parse(first!) as ShardedResult[];
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/**
 * Weights are held to the largest of all: of a key's bias, which changes nothing, the gradients are the rounding of terms
 * that cancel out.
 */
function expectSame(found: ShardedResult, expected: ShardedResult, tolerance: number, what: string): void {
  expect(found.numbers).toHaveLength(expected.numbers.length);
  for (const [place, number] of found.numbers.entries())
    expect(
      Math.abs(number - expected.numbers[place]!) / Math.max(expected.numbers[place]!, 1e-3),
      `${what}, number ${place}`,
    ).toBeLessThan(tolerance);
  expect(Object.keys(found.weights)).toEqual(Object.keys(expected.weights));
  const scale = Math.max(...Object.values(expected.weights).map(largest));
  for (const [name, values] of Object.entries(found.weights)) {
    const difference = values.map((value, i) => value - expected.weights[name]![i]!);
    expect(difference.length).toBe(expected.weights[name]!.length);
    expect(largest(difference) / scale, `${what}, ${name}`).toBeLessThan(tolerance);
  }
}

const MODES = ["optimizer", "gradients", "full"] as const;
const variants = Object.keys(VARIANTS) as (keyof typeof VARIANTS)[];
/** What more than two processes may change: pieces that are empty or padded, and numbers that all have to agree on. */
const byMany: typeof variants = [
  "lora and KL",
  "tied, checkpointing, KL",
  "clipping",
  "Minkowski ∞",
  "frozen embedding",
  "bfloat16",
  "an embedding of another width",
];
/** Of which the result depends on the number of processes, or is rounded otherwise by it. */
const BY_PROCESSES: ReadonlySet<string> = new Set(["micro-batches by themselves", "bfloat16"]);

const groups = needs("processGroups", distributedBackends().includes("gloo"));

// 2⁻²⁴ and 2⁻⁵³ a rounding, in sums that a run's four steps and another order of adding make.
groups.describe.each<[DType, number, number[]]>([
  ["float64", 1e-6, [2, 4]],
  ["float32", 1e-5, [2]],
])("%s", (dtype, tolerance, sizes) => {
  test.each(sizes)(
    "%i processes that divide their state train as one does",
    { timeout: 300_000 },
    async (size) => {
      const chosen = size > 2 ? byMany : variants;
      const cases = (["none", ...MODES] as const).flatMap((mode) =>
        chosen.map((variant): ShardedCase => ({ mode, variant, dtype })),
      );
      const results = await ofRanks(size, cases);
      const alone = new Map(
        chosen
          .filter((variant) => !BY_PROCESSES.has(variant))
          .map((variant) => [variant, trainedTo({ mode: "none", variant, dtype }, join(folder, variant))]),
      );
      for (const [place, { mode, variant }] of cases.entries()) {
        if (BY_PROCESSES.has(variant) && mode === "none") continue;
        const expected = alone.get(variant) ?? results[chosen.indexOf(variant)]!;
        expectSame(results[place]!, expected, tolerance, `${mode}, ${variant}`);
      }
    },
  );
});

groups.describe("a checkpoint of divided state", () => {
  const base = { variant: "tied, checkpointing, KL", dtype: "float64" } as const;

  test("is gone on from bit for bit by as many processes", async () => {
    const cases = [...MODES, "none" as const].map((mode): ShardedCase => ({ ...base, mode }));
    const uninterrupted = await ofRanks(2, cases);
    rmSync(folder, { recursive: true });
    await ofRanks(2, cases, { until: 2, saves: true });
    const resumed = await ofRanks(2, cases);
    for (const [place, { weights, numbers }] of resumed.entries()) {
      expect(weights).toEqual(uninterrupted[place]!.weights);
      expect(uninterrupted[place]!.numbers.slice(-numbers.length)).toEqual(numbers);
      // Two steps and two evaluations.
      expect(numbers).toHaveLength(8);
    }
  });

  test("is gone on from to rounding by other processes, and in other modes", async () => {
    type Side = { readonly mode: ShardedCase["mode"]; readonly size: number };
    const moves: [Side, Side][] = [
      [
        { mode: "full", size: 2 },
        { mode: "full", size: 3 },
      ],
      [
        { mode: "full", size: 3 },
        { mode: "optimizer", size: 2 },
      ],
      [
        { mode: "gradients", size: 3 },
        { mode: "none", size: 1 },
      ],
      [
        { mode: "none", size: 1 },
        { mode: "full", size: 3 },
      ],
      [
        { mode: "none", size: 2 },
        { mode: "full", size: 2 },
      ],
    ];
    /** Each move's run on one of its sides: as many processes as a side has compute all that it has together. */
    const train = async (sides: readonly Side[], steps: { until?: number; saves?: boolean }) => {
      const results = new Map<number, ShardedResult>();
      for (const size of new Set(sides.map((side) => side.size))) {
        const places = [...sides.keys()].filter((place) => sides[place]!.size === size);
        const cases = places.map((place) => ({ ...base, mode: sides[place]!.mode, folder: String(place) }));
        const found =
          size === 1
            ? cases.map((which) => trainedTo(which, join(folder, which.folder), steps))
            : await ofRanks(size, cases, steps);
        for (const [i, place] of places.entries()) results.set(place, found[i]!);
      }
      return results;
    };
    const whole = trainedTo({ ...base, mode: "none" }, join(folder, "whole"));
    const expected = { ...whole, numbers: whole.numbers.slice(-8) };
    await train(
      moves.map(([from]) => from),
      { until: 2, saves: true },
    );
    const resumed = await train(
      moves.map(([, to]) => to),
      {},
    );
    for (const [place, [from, to]] of moves.entries()) {
      const found = resumed.get(place)!;
      expect(found.numbers).toHaveLength(8);
      expectSame(found, expected, 1e-6, `${from.mode} by ${from.size} → ${to.mode} by ${to.size}`);
    }
  });
});
