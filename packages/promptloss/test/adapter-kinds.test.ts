// Runs with an adapter of each kind: trained, counted, saved, resumed, used, merged or refused.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { ADAPTER_KINDS, ADAPTER_TRAITS } from "../src/models/config/adapters.ts";
import { loadAdapter, mergeAdapterFolder, readModelConfig } from "../src/models/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { runTraining } from "../src/training/index.ts";
import { countParameters } from "../src/training/parameter-count.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const SETTINGS = {
  lora: "rank: 2",
  dora: "rank: 2, dropout: 0.1, rslora: true",
  ia3: "targets: [v_proj, down_proj]",
  prefix: "tokens: 3",
  bottleneck: "size: 4",
} as const;

function recipeOf(kind: (typeof ADAPTER_KINDS)[number], name: string, more = "") {
  return folder.recipe(
    name,
    `template: alpaca\nadapter: { kind: ${kind}, ${SETTINGS[kind]} }\nloss: { promptLossWeight: 0.1 }\n` +
      `training: { steps: 3, batchSize: 8, learningRate: 1e-2, precision: float32${more} }\nevaluation: { rows: 4, every: 1 }\ncheckpoints: { every: 1 }\n`,
  );
}

function valuesOf(path: string): Map<string, readonly number[]> {
  const { architecture } = readModelConfig(join(folder.path, "model"));
  const adapter = loadAdapter(path, architecture);
  const found = [...adapter.parameters].map(
    ([name, tensor]) => [name, [...(tensor.toTypedArray() as Float32Array)]] as const,
  );
  adapter.free();
  return new Map(found);
}

describe.each(ADAPTER_KINDS)("%s", (kind) => {
  test("learns, and leaves a folder that answers", async () => {
    const recipe = readRecipe(recipeOf(kind, kind));
    const losses: number[] = [];
    const options = { tokenCache: join(folder.path, "cache") };
    const { manifest, model } = await runTraining(recipe, {
      ...options,
      onEvent: (event) => {
        if (event.type === "evaluation") losses.push(event.completion!.loss);
      },
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    const { architecture } = readModelConfig(join(folder.path, "model"));
    expect(manifest.trainable).toBe(countParameters(architecture, recipe).trainable);
    expect(manifest.parameters - manifest.trainable).toBe(countParameters(architecture, recipe).model);

    const abort = new AbortController();
    const again = readRecipe(recipeOf(kind, `${kind}-resumed`, ", gradientCheckpointing: false"));
    await runTraining(again, {
      ...{ ...options, signal: abort.signal },
      onEvent: (event) => event.type === "step" && event.step === 1 && abort.abort(),
    });
    const resumed = await runTraining(again, options);
    expect(valuesOf(resumed.model!)).toEqual(valuesOf(model!));

    const generator = await TextGenerator.load(model!);
    const [answer] = await generator.generate(["Say red.", "Name a colour."], { maxNewTokens: 4 });
    expect(answer!.sequences[0]!.ids.length).toBeGreaterThan(0);
    generator.free();

    const output = join(folder.path, `${kind}-merged`);
    const merge = () => mergeAdapterFolder({ adapter: model!, base: join(folder.path, "model"), output });
    if (ADAPTER_TRAITS[kind].mergeable) expect(merge().modules).toBeGreaterThan(0);
    else expect(merge).toThrow(`an adapter of kind ${kind} can't be merged`);
  });
});

test.each([
  [
    "adapter: { kind: prefix, rank: 3 }",
    "adapter.rank: is no key of an adapter of kind prefix, which has tokens",
  ],
  ["adapter: { kind: bottleneck, merge: true }", "adapter.merge: no weights of the model can hold"],
  ["adapter: { kind: lora }\nlora: { rank: 2 }", "lora: is short for an adapter of kind lora"],
  [
    "adapter: { kind: dora }\ntraining: { sharding: full }",
    "training.sharding: an adapter of kind dora is not divided",
  ],
])("%s is refused", (text, message) => {
  expect(() => readRecipe(folder.recipe("refused", `${text}\n`))).toThrow(message);
});

test("lora is short for an adapter of that kind", () => {
  const { architecture } = readModelConfig(join(folder.path, "model"));
  const counts = ["lora: { rank: 3 }", "adapter: { kind: lora, rank: 3 }"].map((text) =>
    countParameters(architecture, readRecipe(folder.recipe("short", `${text}\n`))),
  );
  expect(counts[0]).toEqual(counts[1]);
});
