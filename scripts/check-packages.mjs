// Looks at the libraries as they are published: publint at their manifests and files, arethetypeswrong at what TypeScript
// finds behind every door of theirs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a program of a package in node_modules and ends with its status where that is not 0. */
function run(script, args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}

const out = mkdtempSync(join(tmpdir(), "promptloss-packages-"));
try {
  if (run("scripts/pack.mjs", [out, "libraries"])) {
    for (const name of readdirSync(out)) {
      run("node_modules/publint/src/cli.js", ["run", join(out, name), "--strict"]);
      // Both are modules of ECMAScript alone, and subpaths need a resolution that knows `exports`.
      run("node_modules/@arethetypeswrong/cli/dist/index.js", [
        join(out, name),
        "--profile",
        "esm-only",
        "--format",
        "table-flipped",
      ]);
    }
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
