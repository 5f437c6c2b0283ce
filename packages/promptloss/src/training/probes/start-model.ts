// The model that a run began with, beside the one that it trained.
import { type CausalLanguageModel, loadModel } from "../../models/index.ts";
import type { TrainingRun } from "../run.ts";

/** With the model that training began with: what is trained without its adapter, or another that is read once more. */
export async function ofStart<T>(
  { model, recipe }: TrainingRun,
  act: (start: CausalLanguageModel) => Promise<T>,
): Promise<T> {
  const { adapter } = model;
  if (adapter === undefined) {
    const start = loadModel(recipe.model!, { dtype: "float32", device: model.device, trainable: false });
    try {
      return await act(start);
    } finally {
      start.free();
    }
  }
  model.adapter = undefined;
  try {
    return await act(model);
  } finally {
    model.adapter = adapter;
  }
}
