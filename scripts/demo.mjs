// What `npm run demo` shows after set-up: what this machine can do.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const program = join(root, "packages/promptloss/dist/cli/main.js");
const { status } = spawnSync(process.execPath, [program, "doctor"], { stdio: "inherit" });
process.exitCode = status ?? 1;
