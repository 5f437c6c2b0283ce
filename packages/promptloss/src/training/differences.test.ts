import { expect, test } from "vitest";
import { checkRecipe } from "../recipe/index.ts";
import { differencesOf, differencesText, type RunIdentity } from "./differences.ts";

function run(recipe: object, hashes: Partial<RunIdentity> = {}): RunIdentity {
  return {
    recipe: checkRecipe({ model: "m", data: "rows.json", output: "a", ...recipe }, "r.yaml"),
    dataHash: "d",
    modelHash: "m",
    ...hashes,
  };
}

function text(before: RunIdentity, now: RunIdentity): string {
  return differencesText(differencesOf(before, now));
}

test("names the keys that differ, with both values", () => {
  const before = run({ training: { learningRate: 0.01, epochs: 2 } });
  const now = run({ training: { learningRate: 0.5, steps: 9 }, seed: 3, output: "b" }, { dataHash: "e" });
  expect(text(before, now)).toBe(
    "seed was 0 and is 3; training.steps was left out and is 9; training.learningRate was 0.01 and is 0.5; " +
      "training.epochs was 2 and is left out",
  );
});

test("names model and data where the recipe is the same", () => {
  expect(text(run({}), run({ model: "elsewhere" }, { modelHash: "n" }))).toBe(
    "the model's weights, config or tokenizer differ",
  );
  expect(text(run({}), run({}, { dataHash: "e" }))).toBe("the data's rows differ");
});

test("is empty for runs that compute the same, and short for those that have little in common", () => {
  const more = {
    training: { threads: 3, logEvery: 1 },
    checkpoints: { keep: 9 },
    output: "b",
    data: "c.json",
  };
  expect(text(run({}), run(more))).toBe("");
  const other = {
    learningRate: 1,
    steps: 1,
    batchSize: 1,
    epsilon: 1,
    weightDecay: 1,
    dropout: 0.5,
    order: "length",
  };
  expect(text(run({}), run({ training: other }))).toMatch(/; and 1 more$/);
});
