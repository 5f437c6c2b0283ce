// The small studies of recipes/studies, run whole on a tiny model: every factor's levels train, and models are fitted.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readStudyResults } from "../../src/study/results/index.ts";
import { promptloss } from "../command.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";

const studies = fileURLToPath(new URL("../../../../recipes/studies/", import.meta.url));

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function run(name: string, ...more: string[]) {
  const output = join(folder.path, name);
  const place = [
    ...["--set", `model=${join(folder.path, "model")}`, "--set", "maxLength=256"],
    // So few rows have few inputs, each of which several share.
    ...["--set", "evaluation.unit=row"],
    ...["--output", output, "--set", "training.batchTokens=1024", ...more],
  ];
  const data = ["--set", `data=${join(folder.path, "rows.json")}`];
  const { status, stderr } = promptloss(["study", "run", join(studies, `${name}.yaml`), ...place, ...data]);
  expect([status, stderr]).toEqual([0, ""]);
  const { stdout } = promptloss(["study", "results", join(studies, `${name}.yaml`), ...place, ...data]);
  return { results: readStudyResults(output), stdout };
}

describe("small studies", () => {
  test("first-weights.yaml", () => {
    const { results, stdout } = run("first-weights");
    expect(new Set(results.rows.map(({ plw, factors }) => `${plw} ${factors.seed}`)).size).toBe(6);
    expect(stdout).toMatch(/less that of 0[\s\S]*a curve needs 4 weights or more/);
  });

  test("regularizers.yaml: six regularizers with masked and unmasked prompts, and a small weight alone", () => {
    const { results, stdout } = run("regularizers", "--set", "training.epochs=1");
    const cells = new Map(results.rows.map(({ cell, factors }) => [cell, factors.regularizer]));
    expect([...cells.values()].filter((regularizer) => regularizer === "none")).toHaveLength(3);
    expect(cells.size).toBe(15);
    // A penalty on the weights holds them back: Minkowski's cells move less than those without.
    const moved = (regularizer: string): number =>
      Math.max(
        ...results.rows
          .filter(({ factors }) => factors.regularizer === regularizer)
          .map(({ probes }) => probes.distance_l1!),
      );
    expect(moved("Minkowski")).toBeLessThan(moved("none"));
    expect(stdout).toMatch(/score ~ factor\(plw\) \* regularizer/);
  });
});
