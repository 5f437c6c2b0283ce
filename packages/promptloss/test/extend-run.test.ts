// A finished run trained for longer, on a tiny model: what the weights are then, and what is said of the schedule.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRecipe } from "../src/recipe/index.ts";
import { readMetrics } from "../src/training/events/metrics-file.ts";
import { runTraining } from "../src/training/run-training.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const RECIPE = `
loss: { promptLossWeight: 0.1 }
training: { epochs: 2, batchSize: 8, learningRate: 1e-2, precision: float32 }
`;

async function train(file: string, set: readonly string[] = [], extend = false) {
  const tokenCache = join(folder.path, "cache");
  const { manifest } = await runTraining(readRecipe(file, { set }), { file, extend, tokenCache });
  return manifest;
}

function weights(run: string): Buffer {
  return readFileSync(join(folder.path, run, "model", "model.safetensors"));
}
function losses(run: string): unknown[] {
  return readMetrics(join(folder.path, run, "metrics.jsonl")).map(({ step, loss }) => [step, loss]);
}

test("with a constant rate it is the longer run, bit for bit; and it can be extended again", async () => {
  const constant = RECIPE.replace("epochs: 2", "epochs: 2, schedule: constant");
  const [file, whole] = [folder.recipe("longer", constant), folder.recipe("whole", constant)];
  await train(file);
  await expect(train(file, ["training.epochs=3"])).rejects.toMatchObject({
    message: expect.stringMatching(
      /holds another run, the same but for its length: training\.epochs was 2 and is 3$/,
    ),
    hint: "give --extend to continue it from its last checkpoint, or --overwrite to start anew",
  });
  const { extensions, end } = await train(file, ["training.epochs=3"], true);
  expect(extensions).toEqual([
    "continued after step 6 of a run of 6 steps, to 9: learning rates are those of one run of 9 steps",
  ]);
  expect(end).toMatchObject({ reason: "completed", step: 9 });
  await train(whole, ["training.epochs=3"]);
  expect(weights("longer").equals(weights("whole"))).toBe(true);
  expect(losses("longer")).toEqual(losses("whole"));
  expect((await train(file, ["training.epochs=4"], true)).extensions).toHaveLength(2);
  // The same recipe again finds it finished.
  expect((await train(file, ["training.epochs=4"])).end?.step).toBe(12);
});

test("a damaged newest checkpoint is not the one that the run is said to continue from", async () => {
  const constant = RECIPE.replace("epochs: 2", "epochs: 2, schedule: constant");
  const checkpoints = "checkpoints: { every: 2, keep: 2 }\n";
  const file = folder.recipe("damaged", constant + checkpoints);
  await train(file);
  const weightsOf = (step: number): string =>
    join(folder.path, "damaged", "checkpoints", `step-00000${step}`, "weights.safetensors");
  const damaged = readFileSync(weightsOf(6));
  writeFileSync(weightsOf(6), damaged.fill(0, damaged.length - 8));
  const { extensions, end } = await train(file, ["training.epochs=3"], true);
  expect(extensions).toEqual([
    "continued after step 4 of a run of 6 steps, to 9: learning rates are those of one run of 9 steps",
  ]);
  expect(end).toMatchObject({ reason: "completed", step: 9 });
  const whole = folder.recipe("undamaged", constant + checkpoints);
  await train(whole, ["training.epochs=3"]);
  expect(weights("damaged").equals(weights("undamaged"))).toBe(true);
});

test("an evaluation that the longer run would not have is told", async () => {
  const constant = RECIPE.replace("epochs: 2", "steps: 4, schedule: constant");
  const file = folder.recipe("measured", `${constant}evaluation: { rows: 4, every: 3 }\n`);
  await train(file);
  expect((await train(file, ["training.steps=7"], true)).extensions).toEqual([
    "continued after step 4 of a run of 4 steps, to 7: learning rates are those of one run of 7 steps; " +
      "the evaluation after step 4, which one run of 7 steps does not have, counts for the best weights and for patience",
  ]);
});

test("with a cosine the manifest says that the result is not that of the longer run", async () => {
  const file = folder.recipe("cosine", `${RECIPE}evaluation: { rows: 4 }\n`);
  await train(file);
  const { extensions, end } = await train(file, ["training.epochs=3"], true);
  expect(extensions).toEqual([
    expect.stringMatching(
      /^continued after step 6 of a run of 6 steps, to 9: .* so the learning rate goes from \S+ to \S+; the result is not that of one run of 9 steps$/,
    ),
  ]);
  expect(end).toMatchObject({ reason: "completed", step: 9 });
});

test("a run that would stop at once is not extended", async () => {
  // So low a rate changes no weight: the first evaluation stays the best.
  const still = RECIPE.replace("epochs: 2", "steps: 4").replace("1e-2", "1e-30");
  const file = folder.recipe("still", `${still}evaluation: { rows: 4, every: 1, patience: 3 }\n`);
  expect((await train(file)).end).toMatchObject({ reason: "completed", step: 4 });
  await expect(train(file, ["training.steps=7"], true)).rejects.toThrow(
    "by step 4 the run had 3 evaluations without a better one, so it would stop at once",
  );
});

test("only length may differ, only upwards, and there has to be a run with a checkpoint", async () => {
  await expect(train(folder.recipe("nothing", RECIPE), [], true)).rejects.toThrow(
    "there is no run to extend",
  );
  const file = folder.recipe("refused", `${RECIPE}checkpoints: { every: never }\n`);
  await train(file);
  const refused = (...set: string[]) => expect(train(file, set, true)).rejects;
  await refused("training.epochs=1").toThrow("holds another run: training.epochs was 2 and is 1");
  await refused("training.epochs=3", "seed=1").toThrow(
    /holds another run: seed was 0 and is 1; training\.epochs/,
  );
  await refused("training.epochs=3").toThrow("left no checkpoint to continue from");
});
