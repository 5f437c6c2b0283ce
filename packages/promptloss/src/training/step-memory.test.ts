// A step frees what it makes: what it leaves to the garbage collector stays for some steps, gradients above all.
import { join } from "node:path";
import { memory } from "@promptloss/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrainingFolder, trainingFolder } from "../../test/training-folder.ts";
import { readRecipe } from "../recipe/index.ts";
import { runTraining } from "./run-training.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const COMMON = "training: {epochs: 1, batchSize: 4, precision: bfloat16, threads: 1";

test.each([
  ["full", `${COMMON}}`],
  ["lora", `lora: {rank: 2}\n${COMMON}, microBatchSize: 2, neftuneAlpha: 5, gradientCheckpointing: true}`],
  ["penalties", `${COMMON}, dropout: 0.1, minkowski: {order: 2, coefficient: 0.01}, kl: {coefficient: 0.1}}`],
  ["held-out", `loss: {reweighting: dft}\n${COMMON}}\nevaluation: {rows: 4, every: 1}`],
])("a step leaves nothing to the garbage collector: %s", async (name, text) => {
  const after: number[] = [];
  await runTraining(readRecipe(folder.recipe(name, text)), {
    tokenCache: join(folder.path, "tokens"),
    onEvent: ({ type }) => {
      if (type === "step") after.push(memory().collectable);
    },
  });
  expect(after.length).toBeGreaterThan(3);
  expect(new Set(after.slice(1)).size).toBe(1);
});
