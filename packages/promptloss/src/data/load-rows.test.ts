// The token cache as a run meets it: what makes another file, and what does not.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parquet } from "../../test/row-files.ts";
import { TINY_BYTES, TINY_PIECES } from "../../test/tokenizers.ts";
import { loadRows } from "./load-rows.ts";
import type { DataSource } from "./rows/index.ts";
import { createTemplate } from "./templates/index.ts";
import { loadTokenizer } from "./tokenizer/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rows-"));
  const rows = Array.from({ length: 20 }, (_, i) => ({ instruction: `Say ${i}.`, output: `${i}` }));
  writeFileSync(join(folder, "rows.json"), JSON.stringify(rows));
});
afterEach(() => rmSync(folder, { recursive: true }));

function caches(): string[] {
  return readdirSync(join(folder, "cache"));
}

async function load(source: Partial<DataSource>, seed = 0, at = TINY_PIECES): Promise<string> {
  const tokenizer = await loadTokenizer(at);
  const rows = await loadRows([{ path: join(folder, "rows.json"), ...source }], {
    tokenizer,
    template: createTemplate("alpaca", tokenizer),
    read: { seed },
    cache: join(folder, "cache"),
    onRebuild: (line) => expect.unreachable(line),
  });
  rows.close();
  return Array.from({ length: rows.length }, (_, i) => rows.lengths[i]).join();
}

test("tokenizers, options and seeds each have a file of their own, none of which makes another stale", async () => {
  for (let round = 0; round < 2; round++) {
    await load({});
    await load({}, 0, TINY_BYTES);
    await load({ limit: 5 });
    expect(caches()).toHaveLength(3);
  }
});

test("a seed counts where rows are drawn, and only there", async () => {
  for (const seed of [0, 1, 2]) await load({ limit: 5 }, seed);
  expect(caches()).toHaveLength(1);
  for (const seed of [0, 1, 2]) await load({ limit: 5, sample: "random" }, seed);
  expect(caches()).toHaveLength(4);
  for (const seed of [0, 1]) await load({ weight: 0.5 }, seed);
  expect(caches()).toHaveLength(6);
});

test("several at once over different keys do not disturb each other", async () => {
  await Promise.all([0, 1, 2, 3].map((seed) => load({ limit: 5, sample: "random" }, seed)));
  await Promise.all(Array.from({ length: 4 }, () => load({})));
  expect(caches()).toHaveLength(5);
});

test("the share of the data that was tokenized grows to 1, whatever the files are", async () => {
  const given = Array.from({ length: 2000 }, (_, i) => ({ instruction: `Say ${i}.`, output: `${i}` }));
  const lines = given.map((row) => `${JSON.stringify(row)}\n`).join("");
  const files = {
    "many.json": JSON.stringify(given),
    "many.jsonl": lines,
    "many.jsonl.gz": gzipSync(lines),
    "many.parquet": parquet(given),
    "many.parquet.gz": gzipSync(parquet(given)),
  };
  const tokenizer = await loadTokenizer(TINY_PIECES);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    for (const weight of name === "many.json" ? [1, 2] : [1]) {
      const told: [number, number][] = [];
      const rows = await loadRows([{ path: join(folder, name), weight }], {
        ...{ tokenizer, template: createTemplate("alpaca", tokenizer), cache: join(folder, "cache") },
        read: { chunkBytes: 4096 },
        onRow: (count, share) => told.push([count, share]),
      });
      rows.close();
      expect(told.map(([count]) => count)).toEqual(Array.from({ length: 2000 * weight }, (_, i) => i + 1));
      expect(told[0]![1]).toBeGreaterThan(0);
      expect(told.every(([, share], i) => i === 0 || share >= told[i - 1]![1])).toBe(true);
      expect([name, told.at(-1)![1]]).toEqual([name, expect.closeTo(1, 6)]);
      // A reader is ahead of its rows by a batch and what it has buffered, of small gzip files by all of them.
      if (!name.endsWith(".gz")) expect(Math.abs(told[1000 * weight]![1] - 0.5)).toBeLessThan(0.35);
    }
  }
});
