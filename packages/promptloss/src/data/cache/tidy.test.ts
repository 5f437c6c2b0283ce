import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tidyTokenCaches } from "./tidy.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidy-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function cache(digit: string, bytes: number, days: number): void {
  const path = join(folder, `${digit.repeat(32)}.tokens`);
  writeFileSync(path, new Uint8Array(bytes));
  const used = Date.now() / 1000 - days * 86_400;
  utimesSync(path, used, used);
}

function left(): string[] {
  return readdirSync(folder)
    .map((name) => name[0]!)
    .sort();
}

test("what nobody used for long goes, and beyond a size the oldest; what is in use and other files stay", () => {
  for (const [digit, days] of [
    ["a", 40],
    ["b", 3],
    ["c", 2],
    ["d", 1],
    ["e", 0],
  ] as const)
    cache(digit, 10, days);
  writeFileSync(join(folder, "other"), "");
  utimesSync(join(folder, "other"), 1, 1);
  tidyTokenCaches(folder);
  expect(left()).toEqual(["b", "c", "d", "e", "o"]);
  tidyTokenCaches(folder, { bytes: 25 });
  expect(left()).toEqual(["d", "e", "o"]);
  tidyTokenCaches(folder, { bytes: 0 });
  expect(left()).toEqual(["e", "o"]);
});
