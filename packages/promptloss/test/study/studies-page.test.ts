// What docs/studies.md says: its study file is one, the functions of its program run, it names every key and column.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { knownKeys } from "../../src/config-file/index.ts";
import { writeStudyReport } from "../../src/report/index.ts";
import { recommend } from "../../src/statistics/index.ts";
import {
  fitStudy,
  readStudy,
  readStudyResults,
  studyEvidence,
  writeStudyResults,
} from "../../src/study/index.ts";
import { studySchema } from "../../src/study/plan/schema.ts";
import { analysisSection } from "../../src/study/results/analysis.ts";
import { columnsOf } from "../../src/study/results/result-row.ts";
import { studyResults } from "./made-results.ts";

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

  test("its program runs on results", () => {
    writeStudyResults(folder, studyResults({ ratios: [0.1], best: 0.7 }));
    const results = readStudyResults(folder);
    const fits = fitStudy(results);
    expect(fits.fits[0]!.effect?.sentence).toMatch(/the best weight lies inside, at PLW/);
    expect(recommend(0.1, { study: studyEvidence(results.rows, { generationRatio: 0.1 }) }).sentence).toMatch(
      /21 runs of your own/,
    );
    for (const name of ["fitStudy", "readStudyResults", "recommend", "studyEvidence"])
      expect(page).toContain(name);
  });

  test("its program that writes a report runs", async () => {
    writeStudyResults(folder, studyResults({ ratios: [0.1], best: 0.7 }));
    const { path, content } = await writeStudyReport(folder, { output: join(folder, "appendix.html") });
    expect(readFileSync(path, "utf8")).toMatch(/^<!doctype html>/);
    expect(content.recommendations.map(({ sentence }) => sentence)).toEqual([
      expect.stringMatching(/^PLW 0\.\d+: by 21 runs of your own on quiz accuracy/),
    ]);
    expect(page).toContain('writeStudyReport("runs/study", { output: "appendix.html" })');
  });
});
