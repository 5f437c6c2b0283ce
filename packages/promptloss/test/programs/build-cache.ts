// Builds a token cache slowly, so that two of these overlap. Run through build-cache.mjs with the cache's path.
import { setTimeout } from "node:timers/promises";
import { openTokenCache } from "../../src/data/cache/index.ts";
import { CACHE_KEY, cacheReport, cacheRow } from "../cache-rows.ts";

const [path = "", rows = "0"] = process.argv.slice(2);

async function* slowRows(count: number) {
  for (let i = 0; i < count; i++) {
    if (i % 10 === 0) await setTimeout(5);
    yield cacheRow(i);
  }
}

const cache = await openTokenCache(path, CACHE_KEY, () => ({
  rows: slowRows(Number(rows)),
  report: cacheReport,
}));
const sum = Array.from({ length: cache.length }, (_, i) => cache.at(i)!.ids[0]!).reduce((a, b) => a + b, 0);
console.log(JSON.stringify({ length: cache.length, sum }));
cache.close();
