// The section of docs/REPLICATION.md on generation ratios says what the results beside its study file say.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
// The page is made by the compiled package, as its command says.
compiled("packages/promptloss", "index.js");

test("tables and picture of the ratios are made from the results that are kept", () => {
  const place = mkdtempSync(join(tmpdir(), "ratio-page-"));
  try {
    cpSync(join(root, "recipes/replication"), join(place, "recipes/replication"), { recursive: true });
    mkdirSync(join(place, "docs"));
    cpSync(join(root, "docs/REPLICATION.md"), join(place, "docs/REPLICATION.md"));
    symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
    const { stderr } = spawnSync(process.execPath, [join(place, "recipes/replication/ratio-page.mjs")], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    for (const name of ["REPLICATION.md", "replication-ratios.svg"])
      expect(readFileSync(join(place, "docs", name), "utf8")).toBe(
        readFileSync(join(root, "docs", name), "utf8"),
      );
  } finally {
    rmSync(place, { recursive: true });
  }
});
