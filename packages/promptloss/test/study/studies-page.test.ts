// What docs/studies.md says: its study file is one, and it names every key and column.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { knownKeys } from "../../src/config-file/index.ts";
import { readStudy } from "../../src/study/index.ts";
import { studySchema } from "../../src/study/plan/schema.ts";
import { analysisSection } from "../../src/study/results/analysis.ts";
import { columnsOf } from "../../src/study/results/result-row.ts";

const page = readFileSync(fileURLToPath(new URL("../../../../docs/studies.md", import.meta.url)), "utf8");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "page-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("docs/studies.md", () => {
  test("its study file has the cells that it seems to have", () => {
    writeFileSync(join(folder, "study.yaml"), /```yaml\n([\s\S]+?)```/.exec(page)![1]!);
    writeFileSync(join(folder, "recipe.yaml"), "model: org/model\ndata: any.json\n");
    const { cells } = readStudy(join(folder, "study.yaml"));
    // Ten weights, two rates; two data sets with two seeds each, less one.
    expect(cells).toHaveLength(10 * 2 * 3);
    const long = cells.find(({ levels }) => levels.dataset === "long")!;
    expect([long.recipe.training.epochs, long.recipe.evaluation?.rows]).toEqual([1, 100]);
  });

  test("names every key and every column", () => {
    const keys = [
      knownKeys([], studySchema),
      knownKeys(["slurm"], studySchema),
      knownKeys([], analysisSection),
    ];
    const columns = columnsOf({ study: "", factors: [], probes: [] });
    const missing = [...keys.flat(), ...columns].filter((name) => !page.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});
