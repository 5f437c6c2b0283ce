// The recipe's length and batches, with their defaults. Pure, so that a plan may ask without a model.
import type { Recipe } from "../recipe/index.ts";
import type { BatchSettings, RunLength } from "./batches.ts";

const DEFAULT_EPOCHS = 3;
const DEFAULT_BATCH = 32;

export function lengthOf({ epochs, steps }: Recipe["training"]): RunLength {
  return steps === undefined ? { epochs: epochs ?? DEFAULT_EPOCHS } : { steps };
}

export function batchSettings({ training, seed }: Recipe): BatchSettings {
  return {
    batchSize: training.batchSize ?? (training.batchTokens === undefined ? DEFAULT_BATCH : undefined),
    batchTokens: training.batchTokens,
    order: training.order,
    seed,
  };
}
