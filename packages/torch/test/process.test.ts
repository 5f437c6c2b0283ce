// What concerns the process as a whole: memory over many steps, threads, seeds, workers.
import { describe, expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { runChildJson } from "./support/child.ts";

interface Memory {
  rss: number[];
  tensors: number;
}

describe("memory", () => {
  test.each(["scope", "using", "garbage"])("is flat over ten thousand steps: %s", (how) => {
    const { rss, tensors } = runChildJson<Memory>("programs/memory.ts", {
      args: [how, "10000"],
      nodeFlags: ["--expose-gc"],
    });
    // The three weights; finalizers may lag behind by what the last turns made.
    if (how === "garbage") expect(tensors).toBeLessThan(1000);
    else expect(tensors).toBe(3);
    const [early, late] = [rss[2]!, rss.at(-1)!];
    // A step makes 30 kB of tensors and gradients: 7,000 steps that freed none of them would add 200 MB, those that
    // lost only the loss's handle and node some MB. What is allowed is the drift of Node's own heap.
    expect(late - early).toBeLessThan(16 * 2 ** 20);
  });
});

describe("tensors outside scopes", () => {
  const most = (elements: number): number =>
    runChildJson<{ most: number }>("programs/pressure.ts", { args: [String(elements), "2000"] }).most;

  test("are collected in time, as V8 is told what lies behind them", () => {
    // 16 MB each, never touched: V8 starts collecting after some 64 MB that it was told of and goes on beside the
    // program, so that the processor's load decides how many are alive then, not how many are made in all.
    expect(most(1 << 22)).toBeLessThan(1000);
    // Handles of a few bytes press on nothing: were they collected as early, the line above would show nothing.
    expect(most(1)).toBeGreaterThan(1000);
  });
});

interface Threads {
  threads: number;
  cores: number;
  product: number[];
}

function threads(env: Record<string, string | undefined>): Threads {
  return runChildJson<Threads>("programs/threads.ts", { env });
}

describe("threads", () => {
  test("are the cores available, unless OMP_NUM_THREADS says otherwise", () => {
    const free = threads({ OMP_NUM_THREADS: undefined, MKL_NUM_THREADS: undefined });
    expect(free.threads).toBe(free.cores);
    expect(threads({ OMP_NUM_THREADS: "1" }).threads).toBe(1);
  });

  test("a seed's numbers and their product repeat bit for bit in another process", () => {
    expect(threads({}).product).toEqual(threads({}).product);
  });
});

const glibc =
  process.platform === "linux" &&
  "glibcVersionRuntime" in (process.report.getReport() as { header: object }).header;

needs("glibc", glibc).test(`memory that a loop takes again is kept until it ends`, () => {
  const unset = {
    MALLOC_TRIM_THRESHOLD_: undefined,
    MALLOC_MMAP_THRESHOLD_: undefined,
    MALLOC_MMAP_MAX_: undefined,
  };
  const { anew, kept, held, left, returned, holed } = runChildJson<
    Record<"anew" | "kept" | "held" | "left" | "returned" | "holed", number>
  >("programs/heap.ts", { env: { ...unset, GLIBC_TUNABLES: undefined } });
  // Two pieces of 64 MB a round are 32,768 pages of 4 KB, or 64 of 2 MB.
  expect(kept).toBeLessThan(anew / 4);
  expect(held).toBeGreaterThan(100e6);
  expect(left).toBeLessThan(20e6);
  // Seven pieces of 16 MB below one more.
  expect(holed).toBeGreaterThan(100e6);
  expect(returned).toBeLessThan(30e6);
});

test("a synchronous loop without a scope does not hold on to what it dropped", () => {
  // 400 tensors of 10 MB. V8 collects when it likes: it must have done so before half of them were there.
  const { most, bytes, right } = runChildJson<{ most: number; bytes: number; right: boolean }>(
    "programs/loop.ts",
  );
  expect(right).toBe(true);
  expect(most).toBeLessThan(200);
  expect(bytes).toBeLessThan(2e9);
});

test("importing the package loads nothing native until something native is called", () => {
  const { before, after } = runChildJson<{ before: number; after: number }>("programs/lazy.ts");
  expect(before).toBe(0);
  expect(after).toBeGreaterThan(0);
});

test("importing the package changes neither the environment nor malloc; tuneProcess() does", () => {
  const { before, after } = runChildJson<{ before: (string | null)[]; after: (string | null)[] }>(
    "programs/tuning.ts",
    { env: { LRU_CACHE_CAPACITY: undefined, ONEDNN_PRIMITIVE_CACHE_CAPACITY: "77" } },
  );
  expect(before).toEqual([null, "77"]);
  expect(after).toEqual(["256", "77"]);
});

test("workers have an engine of their own", () => {
  const { main, workers } = runChildJson<{ main: number; workers: unknown[] }>("programs/worker.ts");
  expect(main).toBe(3);
  expect(workers).toEqual([
    { slope: [2, 2], tensors: 0 },
    { slope: [4, 4], tensors: 0 },
  ]);
});
