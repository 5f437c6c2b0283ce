// An adapter trained on weights in few bits: what the run writes, and what reads it.
import { join } from "node:path";
import { noGrad } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TINY_LLAMA } from "../../test/tiny-llama.ts";
import { type TrainingFolder, trainingFolder } from "../../test/training-folder.ts";
import { TextGenerator } from "../generation/index.ts";
import { parseModelConfig } from "../models/config/model-config.ts";
import { createModel } from "../models/folder/create-model.ts";
import { saveModel } from "../models/folder/save-model.ts";
import { readModelConfig } from "../models/index.ts";
import { mergeAdapterFolder } from "../models/lora/merge-folder.ts";
import { adapterStorage } from "../models/lora/peft.ts";
import { readRecipe } from "../recipe/index.ts";
import type { TrainingEvent } from "./events/event.ts";
import { runTraining } from "./run-training.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
  const path = join(folder.path, "model");
  const { json } = readModelConfig(path);
  const config = {
    ...json,
    ...TINY_LLAMA,
    vocab_size: json.vocab_size,
    hidden_size: 64,
    intermediate_size: 128,
  };
  const model = createModel(parseModelConfig({ ...config, max_position_embeddings: 256 }), {
    seed: 5,
    trainable: false,
  });
  saveModel(model, path, { companions: path });
  model.free();
});
afterAll(() => folder.remove());

function recipeOf(name: string, lora: string, set: string[] = []) {
  const text = `lora: {rank: 4, ${lora}}\ntraining: {steps: 6, batchSize: 8, learningRate: 0.01, logEvery: 1}\nevaluation: {rows: 4}\n`;
  return readRecipe(folder.recipe(name, text), { set });
}

async function trained(name: string, lora: string): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  await runTraining(recipeOf(name, lora), { onEvent: (event) => void events.push(event) });
  return events;
}

describe("a run with lora.base", () => {
  test("learns, writes an adapter that says what it was trained on, and generation keeps the model so", async () => {
    const events = await trained("four", "base: nf4");
    const losses = events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
    const model = join(folder.path, "four", "model");
    expect(adapterStorage(model)).toBe("nf4");
    const generator = await TextGenerator.load(join(folder.path, "four"));
    expect(generator.model.keptIn).toBe("float32, NF4");
    const [result] = await generator.generate([{ instruction: "Say red." }], { maxNewTokens: 4 });
    expect(result!.sequences[0]!.ids.length).toBeGreaterThan(0);
    generator.free();
    const merged = mergeAdapterFolder({
      ...{ adapter: model, base: join(folder.path, "model"), output: join(folder.path, "whole") },
    });
    expect(merged.notes.join()).toContain("in nf4, and is merged into its weights as they are stored");
  });

  test("merges into what the weights expand to, and says so", async () => {
    const events = await trained("merged", "base: int8, merge: true");
    const notes = events.flatMap((event) => (event.type === "note" ? [event.message] : []));
    expect(notes.join()).toContain("merged into what the weights in int8 expand to");
    const generator = await TextGenerator.load(join(folder.path, "merged"));
    expect(generator.model.blocks.size).toBe(0);
    noGrad(() => generator.free());
  });

  test("is refused where weights are divided among processes", () => {
    expect(() =>
      recipeOf("divided", "base: nf4", ["training.sharding=full", "training.processes=2"]),
    ).toThrow(/lora\.base.*few bits are not divided/s);
  });
});
