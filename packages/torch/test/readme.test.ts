// The README's program, run as a newcomer would run it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL("../", import.meta.url));

test("the README's complete program learns XOR", () => {
  const program = /```js\n(?<program>[\s\S]+?)```/.exec(readFileSync(join(folder, "README.md"), "utf8"));
  // Inside the package, so that its name resolves.
  const place = mkdtempSync(join(folder, "build/readme-"));
  try {
    writeFileSync(join(place, "program.mjs"), program?.groups?.program ?? "");
    const run = spawnSync(process.execPath, [join(place, "program.mjs")], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const losses = [...run.stdout.matchAll(/loss (\S+)/g)].map((match) => Number(match[1]));
    expect(losses).toHaveLength(5);
    // Stuck at a constant answer the loss is 0.25.
    expect(losses.at(-1)).toBeLessThan(1e-3);
  } finally {
    rmSync(place, { recursive: true });
  }
});
