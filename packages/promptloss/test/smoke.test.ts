// The whole way once, in seconds: rows, tokens, a few steps, a model on disk that is measured and answers.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { runTraining } from "../src/training/index.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

test("a model trains on rows, is measured on others, is written, and answers", async () => {
  const file = folder.recipe(
    "smoke",
    "template: alpaca\nloss: { promptLossWeight: 0.1 }\ntraining: { steps: 6, batchSize: 8, learningRate: 1e-2 }\nevaluation: { rows: 4 }\n",
  );
  const losses: number[] = [];
  const measured: number[] = [];
  const { manifest, model } = await runTraining(readRecipe(file), {
    tokenCache: join(folder.path, "cache"),
    onEvent: (event) => {
      if (event.type === "step") losses.push(event.loss);
      if (event.type === "evaluation") measured.push(event.content!.loss);
    },
  });
  expect(manifest.end).toMatchObject({ reason: "completed", step: 6 });
  expect(losses).toHaveLength(6);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
  expect(measured.at(-1)).toBeLessThan(losses[0]!);
  const generator = await TextGenerator.load(model!);
  try {
    const [answer] = await generator.generate(["Say red."], { maxNewTokens: 4 });
    expect(answer!.sequences[0]!.ids.length).toBeGreaterThan(0);
  } finally {
    generator.free();
  }
});
