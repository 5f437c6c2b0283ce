import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wpOfPlw } from "../../statistics/index.ts";
import { StudyFileError } from "../errors.ts";
import { weightsByWp } from "./grids.ts";
import { readStudy, type Study } from "./read-study.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "study-"));
  writeFileSync(
    join(folder, "base.yaml"),
    "model: org/model\ndata: rows.json\nloss: { promptLossWeight: 1 }\nevaluation: { rows: 5 }\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function study(text: string, base = "recipe: base.yaml\n"): Study {
  const file = join(folder, "study.yaml");
  writeFileSync(file, `${base}${text}`);
  return readStudy(file);
}

function problems(text: string, base?: string): string {
  try {
    study(text, base);
  } catch (error) {
    expect(error).toBeInstanceOf(StudyFileError);
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  throw new Error("the study was taken");
}

describe("cells", () => {
  test("factors are crossed, the last one fastest, and set their keys", () => {
    const { cells, factors } = study("factors: { plw: [0, 0.5], training.learningRate: [1e-4, 2e-4] }\n");
    expect(cells.map(({ levels }) => levels)).toEqual([
      { plw: 0, learningRate: 1e-4 },
      { plw: 0, learningRate: 2e-4 },
      { plw: 0.5, learningRate: 1e-4 },
      { plw: 0.5, learningRate: 2e-4 },
    ]);
    expect(cells[1]!.recipe.training.learningRate).toBe(2e-4);
    expect(cells[2]!.recipe.loss.promptLossWeight).toBe(0.5);
    expect(factors).toEqual([
      { name: "plw", labels: [0, 0.5] },
      { name: "learningRate", labels: [1e-4, 2e-4] },
    ]);
  });

  test("paired factors go one by one; excluded combinations are left out", () => {
    const text = `factors:
  plw: [0, 1]
  model: [org/a, org/b, org/c]
  tokenizer: [org/ta, org/tb, org/tc]
paired: [[model, tokenizer]]
exclude: [{ plw: 1, model: [org/a, org/b] }]
`;
    expect(study(text).cells.map(({ levels }) => Object.values(levels).join(" "))).toEqual([
      "0 org/a org/ta",
      "0 org/b org/tb",
      "0 org/c org/tc",
      "1 org/c org/tc",
    ]);
  });

  test("levels may set several keys, or values under a label; the base recipe may be written out", () => {
    const { cells } = study(
      `factors:
  regularizer:
    - { label: none }
    - { label: Minkowski, set: { training.minkowski: { order: 1, coefficient: 0.1 }, seed: 7 } }
  rate: { key: training.dropout, levels: [0.4] }
  data: [{ label: long, value: [{ path: a.json, limit: 9 }] }]
`,
      "recipe: { model: org/model, evaluation: { rows: 5 } }\n",
    );
    expect(
      cells.map(({ recipe }) => [recipe.seed, recipe.training.minkowski?.order, recipe.training.dropout]),
    ).toEqual([
      [0, undefined, 0.4],
      [7, 1, 0.4],
    ]);
    expect(cells[0]!.recipe.data).toEqual([{ path: "a.json", limit: 9 }]);
  });

  test("grids: the paper's ten, and any spaced in w_p", () => {
    const paper = study("factors: { loss.promptLossWeight: paper }\n");
    expect(paper.cells.map(({ levels }) => levels.plw)).toEqual([
      0, 0.0005, 0.002236, 0.01, 0.02463, 0.05, 0.1, 0.2463, 0.5, 1,
    ]);
    expect(
      study("factors: { plw: { grid: wp, points: 3 } }\n").cells.map(({ levels }) => levels.plw),
    ).toEqual([0, 0.1, 1]);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), (points) => {
        const spaced = weightsByWp(points).map(wpOfPlw);
        // Weights are written with four digits.
        for (const [i, wp] of spaced.entries()) expect(wp).toBeCloseTo(i / (points - 1), 3);
      }),
    );
  });

  test("--set changes all cells, under the factors", () => {
    writeFileSync(join(folder, "set.yaml"), "recipe: base.yaml\nfactors: { seed: [1, 2] }\n");
    const { cells } = readStudy(join(folder, "set.yaml"), { set: { "training.epochs": 9, seed: 5 } });
    expect(cells.map(({ recipe }) => [recipe.training.epochs, recipe.seed])).toEqual([
      [9, 1],
      [9, 2],
    ]);
  });
});

describe("a cell's hash", () => {
  const idOf = (recipe: string): string =>
    study("factors: { seed: [1] }\n", `recipe: ${recipe}\n`).cells[0]!.id;

  test("is that of what decides on the result, in whatever order it is written", () => {
    const id = idOf(
      "{ model: m, data: d.json, evaluation: { rows: 5 }, training: { epochs: 1, betas: [0.9, 0.99] } }",
    );
    expect(
      idOf(
        "{ training: { betas: [0.9, 0.99], threads: 3, epochs: 1 }, evaluation: { rows: 5 }, output: o, data: d.json, model: m }",
      ),
    ).toBe(id);
    expect(idOf("{ model: m, data: d.json, evaluation: { rows: 5 }, training: { epochs: 2 } }")).not.toBe(id);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
  });

  test("does not change where a study and its files are moved together", () => {
    const ids = ["one", "two"].map((name) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "rows.json"), "[]");
      writeFileSync(
        join(folder, name, "s.yaml"),
        "recipe: { model: m, data: rows.json, evaluation: { rows: 5 } }\nfactors: { seed: [1] }\n",
      );
      return readStudy(join(folder, name, "s.yaml")).cells[0]!;
    });
    expect(ids[0]!.id).toBe(ids[1]!.id);
    expect(ids[0]!.recipe.data[0]!.path).toBe(join(folder, "one/rows.json"));
  });

  test("a changed level changes the hashes of its cells alone", () => {
    const before = study("factors: { plw: [0, 0.5, 1] }\n").cells.map(({ id }) => id);
    const after = study("factors: { plw: [0, 0.4, 1] }\n").cells.map(({ id }) => id);
    expect(before.map((id, i) => id === after[i])).toEqual([true, false, true]);
  });
});

test("factors whose product explodes are refused before any cell is made", () => {
  const factor = (key: string) => `  ${key}: [${Array.from({ length: 100 }, (_, i) => i + 1).join(", ")}]\n`;
  const keys = ["training.epochs", "seed", "training.logEvery", "training.batchSize", "maxLength"];
  expect(problems(`factors:\n${keys.map(factor).join("")}`)).toBe(
    "study.yaml:3: factors: make 100 × 100 × 100 × 100 × 100 = 10,000,000,000 combinations, and a study has at most 10,000 cells; split it, or pair factors",
  );
  expect(problems("factors: { data.99999999.path: [a, b] }\n")).toContain("there is no such entry");
  expect(problems("factors: { seed.__proto__.x: [1] }\n")).toContain("there is no such key");
});

describe("what is wrong with a study file is told at once, with its line", () => {
  test("keys and values of its own", () => {
    expect(
      problems("fctors: { seed: [1] }\nkeep: nothing\nfactors: { plw: { grid: wp, points: 1 } }\n"),
    ).toMatchInlineSnapshot(`
      "study.yaml:4: factors.plw.points: should be 2 or more
      study.yaml:3: keep: expected one of all, model, scores, found the text "nothing"
      study.yaml:2: fctors: there is no such key; did you mean factors?"
    `);
  });

  test("keys of the recipe, at the level that set them or in the base recipe", () => {
    writeFileSync(
      join(folder, "bad.yaml"),
      "model: org/model\ndata: rows.json\nmaxLengt: 5\nevaluation: { rows: 5 }\n",
    );
    expect(
      problems(
        `factors:
  training.learnigRate: [1]
  plw: [0, -1]
set: { training.epochs: many }
`,
        "recipe: bad.yaml\n",
      ),
    ).toMatchInlineSnapshot(`
      "study.yaml:5: set.training.epochs: training.epochs: expected a number, found the text "many"
      study.yaml:3: factors.training.learnigRate.0: training.learnigRate: there is no such key; did you mean learningRate?
      study.yaml:1: recipe: bad.yaml:3: maxLengt: there is no such key; did you mean maxLength?
      study.yaml:4: factors.plw.1: loss.promptLossWeight: -1 is not a finite number of 0 or more"
    `);
  });

  test("factors that clash, pairs, exclusions and tasks that don't fit", () => {
    expect(
      problems(`factors:
  plw: [0, 0]
  weight: { key: loss.promptLossWeight, levels: [0.1, 0.2] }
  value: { key: seed, levels: [1, 2, 3] }
paired: [[plw, value], [plw, wieght]]
exclude: [{ plw: 0.7 }]
tasks: [held-uot]
`),
    ).toMatchInlineSnapshot(`
      "study.yaml:3: factors.plw.1: there are two levels 0
      study.yaml:4: factors.weight: plw sets loss.promptLossWeight too
      study.yaml:5: factors.value: value is a column of the results already; call the factor something else
      study.yaml:6: paired.0: paired factors need as many levels each: plw has 2, value has 3
      study.yaml:6: paired.1.1: there is no factor wieght; did you mean weight?
      study.yaml:7: exclude.0.plw: plw has no level 0.7; there are 0, 0
      study.yaml:8: tasks.0: there is no task held-uot; did you mean held-out?"
    `);
  });

  test("cells that are the same, no cell at all, no model, nothing held out", () => {
    expect(problems("factors: { a: [{ label: x }, { label: y }] }\n")).toMatch(
      /study\.yaml:2: factors: a x and a y are the same recipe/,
    );
    expect(problems("factors: { seed: [1] }\nexclude: [{ seed: 1 }]\n")).toMatch(
      /study\.yaml:3: exclude: no cell/,
    );
    expect(problems("factors: { seed: [1] }\n", "recipe: { data: a.json }\n")).toMatchInlineSnapshot(`
      "study.yaml:1: recipe: training needs a model: name one here or as a factor
      study.yaml: tasks.0: held-out needs rows to measure: give the recipe an evaluation section"
    `);
  });
});
