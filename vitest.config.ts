import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export default defineConfig({
  resolve: {
    // Tests run the TypeScript sources, not what `npm run build` left in dist.
    alias: [
      { find: /^@promptloss\/torch$/, replacement: source("packages/torch/src/index.ts") },
      { find: /^@promptloss\/torch\/machine$/, replacement: source("packages/torch/src/machine.ts") },
      {
        find: /^@promptloss\/torch\/(setup|reference|files)$/,
        replacement: source("packages/torch/src/$1/index.ts"),
      },
      { find: /^promptloss$/, replacement: source("packages/promptloss/src/index.ts") },
      { find: /^promptloss\/(.+)$/, replacement: source("packages/promptloss/src/$1/index.ts") },
    ],
  },
  test: {
    setupFiles: ["vitest.setup.ts"],
    include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "demo/src/**/*.test.ts"],
    // Native code must not bring the test runner down with it: each file has a process of its own.
    pool: "forks",
    // Most long tests wait for a process that they started: a core left free for the runner would stand idle.
    maxWorkers: availableParallelism(),
    // Test files run side by side, and start processes of their own: more threads than cores wait for each other.
    env: { OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? "1" },
    testTimeout: 120_000,
  },
});
