// The program of docs/data.md, run as it stands.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { TINY_BYTES } from "./tokenizers.ts";

const folder = fileURLToPath(new URL("../", import.meta.url));
const built = existsSync(join(folder, "dist/index.js"));

test.skipIf(!built)(
  `the program of docs/data.md builds weighted tokens${built ? "" : " (npm run build first)"}`,
  () => {
    const page = readFileSync(join(folder, "../../docs/data.md"), "utf8");
    const program = /```js\n(?<program>[\s\S]+?)```/.exec(page)?.groups?.program ?? "";
    // Inside the package, so that its name resolves.
    const place = mkdtempSync(join(folder, "dist/example-"));
    try {
      writeFileSync(join(place, "program.mjs"), program);
      const rows = Array.from({ length: 40 }, (_, i) => ({
        instruction: `Count to ${i + 1}.`,
        input: "",
        output: Array.from({ length: i + 1 }, (__, k) => k + 1).join(", "),
      }));
      writeFileSync(join(place, "rows.json"), JSON.stringify(rows));
      const run = spawnSync(
        process.execPath,
        [join(place, "program.mjs"), join(place, "rows.json"), TINY_BYTES],
        {
          encoding: "utf8",
        },
      );
      expect(run.stderr).toBe("");
      expect(run.stdout).toMatch(
        /^Rg \d+\.\d\d: prompt loss weight [\d.]+\n40 rows in \d+ packs, the first with \d+ tokens, padding [\d.]+ %\n$/,
      );
    } finally {
      rmSync(place, { recursive: true });
    }
  },
);
