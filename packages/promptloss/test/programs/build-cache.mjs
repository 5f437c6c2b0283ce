// Runs build-cache.ts, which Node 20 cannot by itself.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

await runnerImport(fileURLToPath(new URL("./build-cache.ts", import.meta.url)));
