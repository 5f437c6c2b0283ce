// What several processes compute of a batch is what one does.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DType } from "@promptloss/torch";
import { distributedBackends } from "@promptloss/torch/distributed";
import { describe, expect, onTestFinished, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { freePort, rankEnvironment } from "../../../../torch/test/support/ranks.ts";
import { drawnBatches, type MeasuredBatch, measured } from "../../../test/rank-batches.ts";

const runner = fileURLToPath(new URL("../../../../torch/test/support/typescript.mjs", import.meta.url));
const program = fileURLToPath(new URL("../../../test/programs/ranks.ts", import.meta.url));

async function ofRanks(size: number, ...args: string[]): Promise<MeasuredBatch[][]> {
  const port = await freePort();
  return Promise.all(
    Array.from({ length: size }, (_, rank) => {
      const child = spawn(process.execPath, ["--no-warnings", runner, program, ...args], {
        env: { ...process.env, ...rankEnvironment(rank, size, port) },
        stdio: ["ignore", "pipe", "pipe"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      return new Promise<MeasuredBatch[]>((resolve, reject) =>
        child.once("close", (status) =>
          status === 0
            ? resolve(JSON.parse(stdout))
            : reject(new Error(`rank ${rank}: ${status}\n${stderr}`)),
        ),
      );
    }),
  );
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

const SEED = 11;
const COUNT = 24;

const groups = needs("processGroups", distributedBackends().includes("gloo"));

// Tolerances as accumulate.test.ts has them for micro-batches, and for the same reason.
groups.describe("several processes", () =>
  describe.each<[DType, number]>([
    ["float64", 1e-6],
    ["float32", 1e-5],
  ])("%s", (dtype, tolerance) => {
    test.each([2, 3])("one process and %i give the same loss, sums and gradients", async (size) => {
      const batches = drawnBatches(SEED, COUNT);
      const rowsOf = (rank: number) =>
        batches.map(({ rows, splits }) => rows.filter((_, place) => splits[place]! % size === rank));
      const trained = Array.from({ length: size }, (_, rank) =>
        rowsOf(rank).map((rows) => rows.reduce((sum, row) => sum + row.trainedCount, 0)),
      ).flat();
      // Ranks without rows, and with rows of which no token is trained, are among them.
      const counts = Array.from({ length: size }, (_, rank) =>
        rowsOf(rank).map((rows) => rows.length),
      ).flat();
      expect(counts).toContain(0);
      expect(trained.some((tokens, i) => tokens === 0 && counts[i]! > 0)).toBe(true);
      const ranks = await ofRanks(size, String(SEED), String(COUNT), dtype);
      for (const [index, { rows, settings }] of batches.entries()) {
        const one = measured(dtype, rows, settings);
        const scale = Math.max(1e-3, ...Object.values(one.gradients).map(largest));
        const [first] = ranks;
        for (const rank of ranks) {
          const found = rank[index]!;
          // All ranks have the same bits.
          expect(found).toEqual(first![index]);
          expect(Math.abs(found.loss - one.loss) / Math.max(one.loss, 1e-3)).toBeLessThan(tolerance);
          expect(Math.abs(found.penalty - one.penalty) / Math.max(one.penalty, 1e-3)).toBeLessThan(tolerance);
          for (const [name, gradient] of Object.entries(found.gradients)) {
            const difference = gradient.map((value, i) => value - one.gradients[name]![i]!);
            expect(
              largest(difference) / scale,
              `${settings.normalization.normalization}, ${name}`,
            ).toBeLessThan(tolerance);
          }
        }
      }
    });
  }),
);
