// A recipe's seed decides on all that is drawn for its model.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TrainingFolder, trainingFolder } from "../../test/training-folder.ts";
import { readRecipe } from "../recipe/index.ts";
import { prepareModel } from "./model.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

describe("prepareModel", () => {
  test.each([
    ["an adapter", "lora: {rank: 2}"],
    ["random weights", "initialize: random"],
  ])("draws %s by the recipe's seed", (_, text) => {
    const drawn = (seed: number): number[] => {
      const file = folder.recipe("model", `${text}\nseed: ${seed}\ntraining: {steps: 1}\n`);
      const { model } = prepareModel(readRecipe(file), join(folder.path, "model"), "cpu");
      const numbers = [...model.trainable.values()].flatMap((tensor) => [...tensor.toTypedArray("float32")]);
      model.free();
      return numbers;
    };
    const first = drawn(1);
    expect(first.some((number) => number !== 0)).toBe(true);
    expect(drawn(1)).toEqual(first);
    expect(drawn(2)).not.toEqual(first);
  });
});
