// The study files that the repository offers: each is whole, begins with its command, and has the cells that it says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readFormula } from "../../src/statistics/formula/terms.ts";
import { readStudy } from "../../src/study/plan/read-study.ts";

const folder = fileURLToPath(new URL("../../../../recipes/studies/", import.meta.url));

const SHAPES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "agent-weights.yaml": { toolResults: 4, reasoning: 3, seed: 2, cells: 24 },
  "paper.yaml": { plw: 10, model: 2, dataset: 3, cells: 60 },
  "first-weights.yaml": { plw: 3, seed: 2, cells: 6 },
  "regularizers.yaml": { plw: 3, regularizer: 7, cells: 15 },
  "inversion.yaml": { plw: 6, dataset: 2, seed: 2, cells: 24 },
  "open-ratio.yaml": { plw: 8, dataset: 5, seed: 3, cells: 120 },
  "open-families.yaml": { plw: 10, model: 8, seed: 2, cells: 160 },
  "open-learning-rate.yaml": { plw: 5, learningRate: 3, batch: 2, seed: 2, cells: 60 },
};

test("each file of recipes/studies is known here", () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(SHAPES).sort());
});

test.each(Object.keys(SHAPES))("recipes/studies/%s", (name) => {
  const file = join(folder, name);
  const { cells, factors, settings } = readStudy(file);
  const shape = Object.fromEntries(factors.map((factor) => [factor.name, factor.labels.length]));
  expect({ ...shape, cells: cells.length }).toEqual(SHAPES[name]);
  expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
  const comments = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"));
  expect(comments.some((line) => line.startsWith(`# promptloss study `) && line.includes(name))).toBe(true);
  if (settings.analysis.formula !== undefined) {
    const { variables } = readFormula(settings.analysis.formula);
    expect(variables.size).toBeGreaterThan(0);
  }
});

test("the paper's runs are those of its recipe", () => {
  const { cells, tasks } = readStudy(join(folder, "paper.yaml"));
  const groups = tasks.map(({ group }) => group);
  const sizes = ["multiple-choice", "short-generation", "long-generation"].map(
    (name) => groups.filter((group) => group === name).length,
  );
  expect(sizes).toEqual([4, 7, 2]);
  for (const { recipe, levels } of cells) {
    expect(recipe.loss).toMatchObject({ promptLossWeight: levels.plw, reduceOver: "micro-batch" });
    expect(recipe.training).toMatchObject({
      epochs: 3,
      batchSize: 128,
      learningRate: 2e-5,
      warmupRatio: 0.03,
    });
    expect([recipe.maxLength, recipe.evaluation?.keepBest]).toEqual([512, false]);
  }
});

test("the replication has the paper's weights on short and long completions, and tasks of its own", () => {
  const { cells, factors, tasks } = readStudy(join(folder, "../replication/study.yaml"));
  expect(cells).toHaveLength(40);
  expect(factors.map(({ name, labels }) => [name, labels.length])).toEqual([
    ["seed", 2],
    ["plw", 10],
    ["dataset", 2],
  ]);
  // Seeds are the slowest factor, so that a study that is cut short has whole curves.
  expect(new Set(cells.slice(0, 20).map(({ levels }) => levels.seed))).toEqual(new Set([1]));
  expect(tasks.map(({ task, group }) => [task, group])).toEqual([
    ["held-out", undefined],
    ["mctest", "multiple-choice"],
    ["arc_easy", "multiple-choice"],
    ["piqa", "multiple-choice"],
    ["story-answers", "short-generation"],
    ["instruction-answers", "long-generation"],
  ]);
});
