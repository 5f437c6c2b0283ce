// The recipe's length, batches and held-out rows, with their defaults. Pure, so that a plan may ask without a model.
import type { Recipe } from "../recipe/index.ts";
import type { BatchSettings, RunLength } from "./batches.ts";
import { TrainingError } from "./errors.ts";

const DEFAULT_EPOCHS = 3;
const DEFAULT_BATCH = 32;

export const lengthOf = ({ epochs, steps }: Recipe["training"]): RunLength =>
  steps === undefined ? { epochs: epochs ?? DEFAULT_EPOCHS } : { steps };

export const batchSettings = ({ training, seed }: Recipe): BatchSettings => ({
  batchSize: training.batchSize ?? (training.batchTokens === undefined ? DEFAULT_BATCH : undefined),
  batchTokens: training.batchTokens,
  order: training.order,
  seed,
});

/** @throws TrainingError where no row would be left to train on */
export const heldOutCount = (
  { rows, fraction = 0 }: NonNullable<Recipe["evaluation"]>,
  all: number,
): number => {
  const count = rows ?? Math.max(1, Math.round(fraction * all));
  if (count >= all)
    throw new TrainingError(`evaluation: holding out ${count} of ${all} rows leaves none to train on`);
  return count;
};
