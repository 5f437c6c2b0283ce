import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, writeJson } from "../../files/atomic.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study } from "../plan/read-study.ts";
import { analysisSettings } from "../results/index.ts";
import { CellFolder } from "./cell-folder.ts";
import type { CellState } from "./cell-place.ts";
import { collectResults } from "./collect-results.ts";

let output: string;
beforeAll(() => {
  output = mkdtempSync(join(tmpdir(), "collect-"));
});
afterAll(() => rmSync(output, { recursive: true }));

function cellOf(plw: number, seed: number): Cell {
  return { id: `${plw}-${seed}`, levels: { plw, seed } } as unknown as Cell;
}

test("a cell whose training diverged has a value that is no number, and one that failed otherwise has none", () => {
  const cells = [cellOf(0, 1), cellOf(0.1, 1), cellOf(1, 1), cellOf(1, 2)];
  const task = { task: "quiz", options: {}, address: "a", evaluator: {}, group: "multiple-choice" };
  const study = {
    ...{ name: "made", output, cells, tasks: [task], factors: [{ name: "plw" }, { name: "seed" }] },
    settings: { analysis: analysisSettings() },
  } as unknown as Study;
  const times = { attempts: 1, startedAt: "2025-01-01T00:00:00Z" };
  const failed = (name: string): CellState => ({
    ...{ ...times, state: "failed" },
    failure: { name, message: "step 3", during: "training" },
  });
  const states: CellState[] = [
    { ...times, state: "done", generationRatio: 0.1 },
    { ...times, state: "done", generationRatio: 0.1 },
    failed("DivergenceError"),
    failed("OutOfMemoryError"),
  ];
  for (const [k, cell] of cells.entries()) {
    const folder = new CellFolder(study, cell);
    makeFolder(folder.run);
    makeFolder(join(folder.path, "scores"));
    folder.state = states[k]!;
    writeJson(join(folder.run, "manifest.json"), { promptLossWeight: cell.levels.plw });
    if (k < 2)
      folder.writeScores(task as unknown as Study["tasks"][number], [
        { metric: "acc", value: 0.5 + k / 10, higherIsBetter: true, primary: true },
      ]);
  }
  const { rows } = collectResults(study);
  expect(rows.map(({ cell, value }) => [cell, value])).toEqual([
    ["0-1", 0.5],
    ["0.1-1", 0.6],
    ["1-1", Number.NaN],
  ]);
  expect(rows[2]).toMatchObject({ plw: 1, wp: 1, task: "quiz", metric: "acc", generationRatio: 0.1 });
});
