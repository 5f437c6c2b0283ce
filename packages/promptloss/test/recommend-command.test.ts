// `promptloss recommend` as a user runs it, and that `auto` in a recipe gives the same weight.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeStudyResults } from "../src/study/results/index.ts";
import { built, promptloss } from "./command.ts";
import { studyResults } from "./study/made-results.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const recommended = (...args: string[]): string => {
  const { status, stdout, stderr } = promptloss(["recommend", ...args]);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
};

describe.skipIf(!built)("promptloss recommend", () => {
  test("from the paper's facts, for a ratio and a kind of task", () => {
    expect(recommended("--rg", "0.08", "--tasks", "short-generation")).toMatchInlineSnapshot(`
      "Prompt loss weight  0.242
      Range               0.01 to 0.5 (a stated range, no confidence interval)
      For                 Rg 0.08, short-generation
      Significant         yes
      Evidence
        [the paper, verified] on short-completion data (AlpacaDataShort, Rg 0.08) scores follow a downward quadratic in w_p (p < 0.001) that is highest at PLW 0.242
        [the paper, verified] a small PLW, 0.01 to 0.5, is best for multiple choice and short generation
      "
    `);
  });

  test("from a study where it settles the question, from the paper where it does not", () => {
    const study = join(folder.path, "study");
    mkdirSync(study);
    writeStudyResults(study, studyResults({ ratios: [0.1], best: 0.7 }));
    const own = JSON.parse(recommended("--rg", "0.1", "--study", study, "--json"));
    expect([own.source, own.interval.level]).toEqual(["study", 0.95]);
    expect(own.interval.lower).toBeLessThan(own.plw);
    expect(own.interval.upper).toBeGreaterThan(own.plw);
    expect(JSON.parse(recommended("--rg", "5", "--study", study, "--json")).source).toBe("paper");
  });

  test("data, a recipe over it and the recipe's auto agree", () => {
    const recipe = folder.recipe("auto", "loss: { promptLossWeight: auto }\nmaxLength: 256\n");
    const data = [join(folder.path, "rows.json"), "--tokenizer", join(folder.path, "model")];
    const [fromData, fromRecipe] = [data, [recipe]].map((args) => recommended(...args, "--json"));
    expect(fromRecipe).toBe(fromData);
    const { plw, sentence } = JSON.parse(fromData!);
    const run = JSON.parse(promptloss(["train", recipe, "--dry-run", "--json"]).stdout);
    expect(run.promptLossWeight).toBe(plw);
    expect(run.notes).toContain(`promptLossWeight auto: ${sentence}`);
    expect(promptloss(["preview", recipe]).stdout).toContain(`promptLossWeight auto: ${sentence}`);
  });

  test("refuses what it can't answer", () => {
    const said = (...args: string[]): string => {
      const { status, stderr } = promptloss(["recommend", ...args]);
      return `${status}: ${stderr}`;
    };
    expect(said()).toMatch(/^2: .*data or --rg/);
    expect(said("--rg", "-1")).toMatch(/^1: .*must be a positive number/);
    expect(said("rows.json")).toMatch(/^1: .*there is no tokenizer/);
    expect(said("--rg", "1", "--study", folder.path)).toMatch(/^1: .*no results of a study/);
  });
});
