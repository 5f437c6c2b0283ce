import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { doorsOf, type Project, testFiles } from "./test/projects.ts";

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

const files = testFiles();

function project(name: Project, more: { globalSetup?: string; env?: Record<string, string> } = {}) {
  return { extends: true as const, test: { name, include: files[name], ...more } };
}

export default defineConfig({
  resolve: {
    // Tests run the TypeScript sources, not what `npm run build` left in dist.
    alias: Array.from(doorsOf(), ([name, path]) => ({
      find: new RegExp(`^${name}$`),
      replacement: source(path),
    })),
  },
  test: {
    setupFiles: ["test/setup.ts"],
    // Native code must not bring the test runner down with it: each file has a process of its own.
    pool: "forks",
    // Most long tests wait for processes that they started, which leave a third of the time to others.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    // Test files run side by side, and start processes of their own: more threads than cores wait for each other.
    env: { OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? "1" },
    testTimeout: 120_000,
    // Hooks load libraries and make folders, which a busy machine takes as long over as tests.
    hookTimeout: 120_000,
    projects: [
      project("end-to-end", { globalSetup: "test/compile.ts" }),
      project("native"),
      project("cuda", { env: { PROMPTLOSS_TEST_DEVICE: "cuda" } }),
      project("pure"),
    ],
  },
});
