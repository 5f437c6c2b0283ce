// A study's output folder as a launcher leaves it: results, and cells that are done, failed and waiting.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type StudyResults, writeStudyResults } from "../../src/study/results/index.ts";

const run = {
  ...{ promptloss: "0.1.0", node: "v20.11.0", libtorch: "2.3.0", platform: "linux x64" },
  ...{ processor: "A processor", device: "cpu", precision: "float32", normalization: "weight-sum" },
  ...{ reduceOver: "batch", notes: ["two rows were longer than 512 tokens"] },
};

export const FAILURE = "the loss of step 12 is no number";

/** The first cell fails, the last one waits; their rows are left out. */
export function writeStudy(folder: string, whole: StudyResults): StudyResults {
  const cells = [...new Map(whole.rows.map((row) => [row.cell, row])).values()];
  const [failed, waiting] = [cells[0]!.cell, cells.at(-1)!.cell];
  const results = {
    ...whole,
    rows: whole.rows.filter(({ cell }) => cell !== failed && cell !== waiting),
  };
  writeStudyResults(folder, results);
  for (const { cell, factors } of cells) {
    const path = join(folder, "cells", cell);
    mkdirSync(join(path, "run"), { recursive: true });
    const write = (name: string, value: unknown): void =>
      writeFileSync(join(path, name), JSON.stringify(value));
    write("cell.json", { id: cell, levels: factors });
    if (cell === waiting) continue;
    const failure = { name: "TrainingError", message: FAILURE, during: "training" };
    write("state.json", {
      ...{ attempts: 1, startedAt: "2024-01-02T03:04:05.000Z" },
      ...(cell === failed ? { state: "failed", failure } : { state: "done" }),
    });
    if (cell !== failed) write("run/manifest.json", { ...run, seed: factors.seed });
  }
  return results;
}
