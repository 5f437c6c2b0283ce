// The model of a run: loaded or drawn, with its adapter, and with what is frozen frozen.
import {
  type CausalLanguageModel,
  createAdapter,
  createModel,
  freezeParameters,
  loadModel,
  readModelConfig,
} from "../models/index.ts";
import type { Recipe } from "../recipe/index.ts";
import { computeDtype } from "./precision.ts";

export function prepareModel(recipe: Recipe, folder: string, device: string): CausalLanguageModel {
  const { lora, training, initialize, seed, strict } = recipe;
  if (lora === undefined) {
    // Master weights in float32; products in bf16 where asked.
    const model =
      initialize === "random"
        ? createModel(readModelConfig(folder, { strict }), { seed, device })
        : loadModel(folder, { dtype: "float32", device, trainable: true, strict });
    freezeParameters(model, training.freeze ?? []);
    return model;
  }
  // Frozen weights need no more precision than products have.
  const dtype = computeDtype(training.precision, device) ?? "float32";
  const model = loadModel(folder, { dtype, device, strict });
  const { rank, alpha = 2 * rank, dropout, targets, rslora } = lora;
  model.adapter = createAdapter(
    model.architecture,
    { rank, alpha, dropout, rankStabilised: rslora, ...(targets !== undefined && { targets }) },
    { device, seed },
  );
  return model;
}
