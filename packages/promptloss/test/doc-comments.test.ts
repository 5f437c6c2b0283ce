// How doc comments are written, where no linter looks.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sourcesUnder } from "../../../test/imports.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("what a function throws is said by @throws, in no other words", () => {
  expect(linesWith(/^\s*(\/\*\*|\*).*\bThrows\b/)).toEqual([]);
});

test("@throws names its errors in braces", () => {
  expect(linesWith(/@throws(?! \{[A-Z]\w+\})/)).toEqual([]);
});

function linesWith(pattern: RegExp): string[] {
  return ["packages/torch/src", "packages/promptloss/src"]
    .flatMap((folder) => sourcesUnder(root, folder))
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
    );
}
