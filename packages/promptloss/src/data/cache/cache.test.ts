import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CACHE_KEY, cacheReport, cacheRow } from "../../../test/cache-rows.ts";
import type { ClassifiedTokens } from "../tokens/index.ts";
import { WeightedRows } from "../tokens/index.ts";
import { BYTE_ORDER_MARK, VERSION } from "./format.ts";
import {
  hashFile,
  openTokenCache,
  TokenCache,
  type TokenCacheKey,
  tokenCacheKey,
  writeTokenCache,
} from "./index.ts";

async function freshPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "cache-")), "tokens.bin");
}

function rowsUpTo(count: number): ClassifiedTokens[] {
  return Array.from({ length: count }, (_, i) => cacheRow(i));
}

/** Opens or builds, and tells what was said and how often rows were made. */
async function open(path: string, key: TokenCacheKey = CACHE_KEY, count = 20) {
  const lines: string[] = [];
  let built = 0;
  const make = () => {
    built++;
    return { rows: rowsUpTo(count), report: cacheReport };
  };
  const cache = await openTokenCache(path, key, make, { onRebuild: (line) => lines.push(line) });
  return { cache, lines, built };
}

describe("openTokenCache", () => {
  test("gives back every row, bit for bit, and the report; builds once", async () => {
    const path = await freshPath();
    const first = await open(path);
    expect([first.built, first.lines]).toEqual([1, []]);
    const { cache, built, lines } = await open(path);
    expect([built, lines, cache.length]).toEqual([0, [], 20]);
    for (const [i, row] of rowsUpTo(20).entries()) expect(cache.at(i)).toEqual(row);
    expect(cache.at(20)).toBeUndefined();
    expect(cache.report).toEqual(cacheReport());
    expect([...cache.lengths]).toEqual(rowsUpTo(20).map(({ ids }) => ids.length));
    cache.close();
    expect(() => cache.at(0)).toThrow("has been closed");
    expect(await readdir(join(path, ".."))).toEqual(["tokens.bin"]);
  });

  test("a row's arrays are views of one buffer, not copies", async () => {
    const { cache } = await open(await freshPath());
    const row = cache.at(3)!;
    expect(row.classes.buffer).toBe(row.ids.buffer);
    expect(row.partWeights!.buffer).toBe(row.ids.buffer);
  });

  test("weights are not part of it: another prompt loss weight reads the same file", async () => {
    const path = await freshPath();
    const rows = rowsUpTo(20);
    for (const promptLossWeight of [0.01, 0.5]) {
      const { cache, built } = await open(path);
      expect(built).toBe(promptLossWeight === 0.01 ? 1 : 0);
      const weights = { promptLossWeight };
      const [cached, direct] = [cache, rows].map(
        (source) => new WeightedRows(source, { weights, onBadRow: "skip" }),
      );
      expect(cached!.report).toEqual(direct!.report);
      for (let i = 0; i < direct!.length; i++) expect(cached!.at(i)).toEqual(direct!.at(i));
    }
  });

  test("an empty data set is a cache too", async () => {
    const path = await freshPath();
    await open(path, CACHE_KEY, 0);
    expect((await open(path, CACHE_KEY, 0)).cache.length).toBe(0);
  });
});

describe("a cache that cannot be used is built again, with a line that says why", () => {
  const damage: [string, RegExp, (path: string, bytes: Buffer) => Promise<void>][] = [
    [
      "truncated",
      /^the token cache has \d+ bytes, should have \d+; tokenizing again$/,
      (path, bytes) => truncate(path, bytes.length - 5),
    ],
    ["cut inside the header", /is not a token cache/, (path) => truncate(path, 40)],
    ["empty", /is not a token cache/, (path) => truncate(path, 0)],
    ["foreign", /is not a token cache/, (path) => writeFile(path, "x".repeat(4000))],
    [
      "of a later version",
      new RegExp(`has version ${VERSION + 1}, this program writes ${VERSION}`),
      (path, bytes) => {
        bytes.writeUInt32LE(VERSION + 1, 8);
        return writeFile(path, bytes);
      },
    ],
    [
      "of other byte order",
      /other byte order/,
      (path, bytes) => {
        bytes.writeUInt32BE(BYTE_ORDER_MARK, 12);
        return writeFile(path, bytes);
      },
    ],
    [
      "changed in a row",
      /its checksum does not match/,
      (path, bytes) => {
        bytes[100]! ^= 1;
        return writeFile(path, bytes);
      },
    ],
    [
      "changed in the header",
      /its checksum does not match/,
      (path, bytes) => {
        bytes[16]! ^= 1;
        return writeFile(path, bytes);
      },
    ],
    [
      "changed at the end",
      /its checksum does not match/,
      (path, bytes) => {
        bytes[bytes.length - 1]! ^= 1;
        return writeFile(path, bytes);
      },
    ],
  ];
  test.each(damage)("%s", async (_, line, spoil) => {
    const path = await freshPath();
    (await open(path)).cache.close();
    await spoil(path, await readFile(path));
    const again = await open(path);
    expect(again.built).toBe(1);
    expect(again.lines).toHaveLength(1);
    expect(again.lines[0]).toMatch(line);
    expect(again.cache.at(7)).toEqual(cacheRow(7));
  });

  test("stale: it names what changed", async () => {
    const path = await freshPath();
    await open(path);
    const { built, lines } = await open(path, { ...CACHE_KEY, tokenizer: "other", "file b.json": "9" });
    expect(built).toBe(1);
    expect(lines).toEqual([
      "the token cache is stale: changed since are file b.json, tokenizer; tokenizing again",
    ]);
  });
});

describe("writeTokenCache", () => {
  test("a failure leaves the old file, and nothing else", async () => {
    const path = await freshPath();
    (await open(path)).cache.close();
    const failing = function* () {
      yield cacheRow(0);
      throw new Error("row 2 is bad");
    };
    await expect(writeTokenCache(path, CACHE_KEY, failing(), cacheReport)).rejects.toThrow("row 2 is bad");
    expect(TokenCache.open(path).length).toBe(20);
    expect(await readdir(join(path, ".."))).toEqual(["tokens.bin"]);
  });

  test("clears away what killed writers left a day ago, not what others write now", async () => {
    const path = await freshPath();
    const yesterday = Date.now() / 1000 - 25 * 3600;
    const [left, writing] = [1, 2].map((n) => `.tokens.bin.${"0".repeat(11)}${n}.draft`);
    for (const name of [left!, writing!]) await writeFile(join(path, "..", name), "");
    await utimes(join(path, "..", left!), yesterday, yesterday);
    await open(path);
    expect((await readdir(join(path, ".."))).sort()).toEqual([writing!, "tokens.bin"]);
  });

  test("two processes that build at once both read what they should", async () => {
    const path = await freshPath();
    const program = fileURLToPath(new URL("../../../test/programs/build-cache.mjs", import.meta.url));
    const builders = [1, 2].map(() =>
      spawn(process.execPath, [program, path, "600"], { stdio: ["ignore", "pipe", "pipe"] }),
    );
    const ends = await Promise.all(
      builders.map(async (builder) => {
        const [output, errors, [code]] = await Promise.all([
          text(builder.stdout),
          text(builder.stderr),
          once(builder, "exit"),
        ]);
        return { output: output.trim(), errors, code };
      }),
    );
    const sum = rowsUpTo(600).reduce((total, { ids }) => total + ids[0]!, 0);
    for (const end of ends)
      expect(end).toEqual({ output: JSON.stringify({ length: 600, sum }), errors: "", code: 0 });
    const cache = TokenCache.open(path);
    expect(cache.length).toBe(600);
    for (const i of [0, 299, 599]) expect(cache.at(i)).toEqual(cacheRow(i));
    expect(await readdir(join(path, ".."))).toEqual(["tokens.bin"]);
  });

  test("a process that is killed while it builds leaves no cache that could be taken for one", async () => {
    const path = await freshPath();
    const program = fileURLToPath(new URL("../../../test/programs/build-cache.mjs", import.meta.url));
    const builder = spawn(process.execPath, [program, path, "100000"], { stdio: "ignore" });
    const folder = join(path, "..");
    while ((await readdir(folder)).length === 0 && builder.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(builder.exitCode).toBeNull();
    const exit = once(builder, "exit");
    builder.kill("SIGKILL");
    await exit;
    expect((await readdir(folder)).some((name) => name === "tokens.bin")).toBe(false);
    expect((await open(path)).cache.length).toBe(20);
  });
});

describe("tokenCacheKey", () => {
  test("changes with every part that decides ids and classes", async () => {
    const file = await freshPath();
    await writeFile(file, "data");
    const parts = {
      files: { "a.json": await hashFile(file) },
      tokenizer: { hash: "t" },
      template: { fingerprint: "f" },
      turns: "all",
      onBadRow: "error",
      reading: { columns: { prompt: "q" } },
    } as const;
    const key = tokenCacheKey(parts);
    expect(key["file a.json"]).toBe("3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7");
    const others = [
      { ...parts, files: { "a.json": "other" } },
      { ...parts, tokenizer: { hash: "u" } },
      { ...parts, template: { fingerprint: "g" } },
      { ...parts, turns: [1] },
      { ...parts, onBadRow: "skip" },
      { ...parts, reading: {} },
    ] as const;
    for (const other of others) expect(tokenCacheKey(other)).not.toEqual(key);
  });
});
