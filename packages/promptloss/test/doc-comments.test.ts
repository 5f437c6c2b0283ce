// How doc comments are written, where no linter looks.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sourcesUnder } from "../../../test/imports.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("@throws names its errors in braces", () => {
  const files = ["packages/torch/src", "packages/promptloss/src"].flatMap((folder) =>
    sourcesUnder(root, folder),
  );
  const bare = files.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, i) =>
        /@throws(?! \{[A-Z]\w+\})/.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [],
      ),
  );
  expect(bare).toEqual([]);
});
