// Sections of docs/REPLICATION.md say what the results beside their study files say.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
// The page is made by the compiled package, as its commands say.
compiled("packages/promptloss", "index.js");

test.each([
  ["ratio-page.mjs", "replication-ratios.svg"],
  ["learning-rate-page.mjs", "replication-rates.svg"],
  ["families-page.mjs", "replication-families.svg"],
])("%s makes its tables and its picture from the results that are kept", (program, picture) => {
  const place = mkdtempSync(join(tmpdir(), "replication-page-"));
  try {
    cpSync(join(root, "recipes/replication"), join(place, "recipes/replication"), { recursive: true });
    mkdirSync(join(place, "docs"));
    cpSync(join(root, "docs/REPLICATION.md"), join(place, "docs/REPLICATION.md"));
    symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
    const { stderr } = spawnSync(process.execPath, [join(place, "recipes/replication", program)], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    for (const name of ["REPLICATION.md", picture])
      expect(readFileSync(join(place, "docs", name), "utf8")).toBe(
        readFileSync(join(root, "docs", name), "utf8"),
      );
  } finally {
    rmSync(place, { recursive: true });
  }
});
