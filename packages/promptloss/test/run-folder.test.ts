// What a run does where its folder is not as it left it, on a tiny model.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LostLockError } from "../src/files/lock.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { readMetrics } from "../src/training/events/metrics-file.ts";
import { type RunTrainingOptions, runTraining } from "../src/training/run-training.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const RECIPE = `
loss: { promptLossWeight: 0.1 }
training: { steps: 6, batchSize: 8, learningRate: 1e-2, precision: float32 }
checkpoints: { every: 3 }
`;

function train(file: string, options: RunTrainingOptions = {}) {
  return runTraining(readRecipe(file), { file, tokenCache: join(folder.path, "cache"), ...options });
}

test("a process that lost its folder writes nothing more into it", async () => {
  const file = folder.recipe("lost", RECIPE);
  const run = join(folder.path, "lost");
  const lost = train(file, {
    onEvent: (event) => {
      if (event.type === "step" && event.step === 2) rmSync(join(run, ".lock"), { recursive: true });
    },
  });
  await expect(lost).rejects.toThrow(LostLockError);
  expect(readMetrics(join(run, "metrics.jsonl")).map(({ step }) => step)).toEqual([1, 2]);
  expect(existsSync(join(run, "checkpoints", "step-000003"))).toBe(false);
  expect(JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")).end).toBeUndefined();
});

test.each([
  ["cut off", '{ "fingerprint"', "is not JSON"],
  ["of something else", "[1]", "is not the manifest of a run"],
  ["empty of all", "null", "is not the manifest of a run"],
])("a manifest that is %s is named, and --overwrite begins anew", async (_, text, what) => {
  const file = folder.recipe("damaged", RECIPE);
  const manifest = join(folder.path, "damaged", "manifest.json");
  await train(file, { overwrite: true });
  writeFileSync(manifest, text);
  await expect(train(file)).rejects.toMatchObject({
    message: `${manifest}: ${what}`,
    hint: "give --overwrite to start anew, or name another output",
  });
  expect((await train(file, { overwrite: true })).manifest.end?.reason).toBe("completed");
});

test("a model that a process had moved aside when it died stands again", async () => {
  const file = folder.recipe("aside", RECIPE);
  const { model } = await train(file);
  const aside = join(folder.path, "aside", ".model.aside-0123abcd-1-.0123456789ab.draft");
  renameSync(model!, aside);
  await train(file);
  expect(existsSync(join(model!, "model.safetensors"))).toBe(true);
  expect(existsSync(aside)).toBe(false);
});
