// `promptloss recommend` as a user runs it, and that `auto` in a recipe gives the same weight.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeStudyResults } from "../src/study/results/index.ts";
import { promptloss } from "./command.ts";
import { studyResults } from "./study/made-results.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function recommended(...args: string[]): string {
  const { status, stdout, stderr } = promptloss(["recommend", ...args]);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

describe("promptloss recommend", () => {
  test("without runs: a prior from the paper's facts, and that it is one", () => {
    const text = recommended("--rg", "0.08", "--task-group", "short-generation");
    expect(text).toMatch(
      /^Prompt loss weight {2}0\.242\nExpected regret {5}0\.\d+ of the gap between best and worst\n/,
    );
    expect(text).toContain("no run on this data");
    expect(text).toContain("[the paper, verified] on short-completion data");
    expect(text.split("Known")[0]).not.toContain("ignificant");
  });

  test("from a study's runs, at a tolerance and among weights that the user names", () => {
    const study = join(folder.path, "study");
    mkdirSync(study);
    writeStudyResults(study, studyResults({ ratios: [0.1], best: 0.7 }));
    const own = JSON.parse(recommended("--rg", "0.1", "--study", study, "--json"));
    expect([own.source, own.runs, own.objective, own.unit]).toEqual([
      "study",
      21,
      "quiz accuracy",
      "accuracy",
    ]);
    expect(Math.abs(own.plw ** 0.30103 - 0.7)).toBeLessThan(0.11);
    const args = ["--tolerance", "0.05", "--weights", "0.2,0.5", "--objective", "quiz"];
    const named = JSON.parse(recommended("--rg", "0.1", "--study", study, ...args, "--json"));
    expect(named.within.tolerance).toBe(0.05);
    expect(named.weights.map(({ plw }: { plw: number }) => plw)).toEqual([0.2, 0.5]);
    // Another normalization has another weight for the same share of the prompt.
    const share = JSON.parse(recommended("--rg", "0.1", "--normalization", "loss-share", "--json"));
    expect(share.share.normalization).toBe("loss-share");
    expect(share.plw).toBeGreaterThan(JSON.parse(recommended("--rg", "0.1", "--json")).plw);
    expect(JSON.parse(recommended("--rg", "5", "--study", study, "--json")).source).toBe("prior");
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

  test("under another normalization, recipe, preview, inspect and training agree too", () => {
    const loss = "loss: { promptLossWeight: auto, normalization: loss-share }";
    const recipe = folder.recipe("share", `${loss}\nmaxLength: 256\n`);
    const { plw } = JSON.parse(recommended(recipe, "--json"));
    const printed = (command: string, ...args: string[]) =>
      JSON.parse(promptloss([command, recipe, ...args, "--json"]).stdout);
    expect(printed("train", "--dry-run").promptLossWeight).toBe(plw);
    expect(printed("preview").weights.promptLossWeight).toBe(plw);
    expect(printed("inspect").recommendation.plw).toBe(plw);
    const measured = promptloss(["loss", join(folder.path, "model"), recipe])
      .stdout.trim()
      .split("\n");
    expect(JSON.parse(measured.at(-1)!).totals.promptLossWeight).toBe(plw);
  });

  test("refuses what it can't answer", () => {
    const said = (...args: string[]): string => {
      const { status, stderr } = promptloss(["recommend", ...args]);
      return `${status}: ${stderr}`;
    };
    expect(said()).toMatch(/^2: .*data or --rg/);
    expect(said("--rg", "1", "--tokenizer", "model")).toMatch(/^2: .*so --tokenizer has no use/);
    expect(said("--rg", "1", "--empty-completions", "keep")).toMatch(/^2: .*--empty-completions has no use/);
    expect(said("--rg", "-1")).toMatch(/^1: .*must be a positive number/);
    expect(said("--rg", "1", "--objective", "quiz")).toMatch(/^2: .*--study/);
    expect(said("--rg", "1", "--weights", "2")).toMatch(/^2: .*weights from 0 to 1/);
    expect(said("rows.json")).toMatch(/^1: .*there is no tokenizer/);
    expect(said("--rg", "1", "--study", folder.path)).toMatch(/^1: .*no results of a study/);
  });
});
