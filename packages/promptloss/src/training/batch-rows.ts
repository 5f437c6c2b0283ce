// The rows of a batch: those of the data, and what a decoder that restores prompts is given of them beside.
import type { WeightedTokens } from "../data/tokens/index.ts";
import type { TrainingBatch } from "./batches.ts";
import type { TrainingRun } from "./run.ts";

/** In the batch's order. A corrupted prompt of which nothing weighs is left out. */
export function rowsOfBatch(
  { rows, corrupt }: Pick<TrainingRun, "rows" | "corrupt">,
  batch: Pick<TrainingBatch, "rows" | "epoch">,
): WeightedTokens[] {
  return Array.from(batch.rows).flatMap((index) => {
    const row = rows.at(index);
    const restored = corrupt?.(row, index, batch.epoch);
    return restored !== undefined && restored.trainedCount > 0 ? [row, restored] : [row];
  });
}
