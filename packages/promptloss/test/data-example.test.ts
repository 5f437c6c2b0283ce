// The program of docs/data.md, run as it stands.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programsOf, runProgram } from "../../../test/programs.ts";
import { TINY_BYTES } from "./tokenizers.ts";

test("the program of docs/data.md builds weighted tokens", () => {
  const place = mkdtempSync(join(tmpdir(), "data-example-"));
  try {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      instruction: `Count to ${i + 1}.`,
      input: "",
      output: Array.from({ length: i + 1 }, (__, k) => k + 1).join(", "),
    }));
    writeFileSync(join(place, "rows.json"), JSON.stringify(rows));
    const [program] = programsOf("docs/data.md");
    const run = runProgram("packages/promptloss", program!, { args: [join(place, "rows.json"), TINY_BYTES] });
    expect(run.stderr).toBe("");
    expect(run.stdout).toMatch(
      /^Rg \d+\.\d\d: prompt loss weight [\d.]+\n40 rows in \d+ packs, the first with \d+ tokens, padding [\d.]+ %\n$/,
    );
  } finally {
    rmSync(place, { recursive: true });
  }
});
