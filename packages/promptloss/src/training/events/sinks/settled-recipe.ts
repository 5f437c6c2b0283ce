// What a run was, for those who compare it with others: the recipe, with what its `auto` came to, and its size.
import type { SinkRun } from "./sink.ts";

/** The recipe without `logging` and `output`: where a run goes says nothing of it. */
export function settledRecipe({ recipe, start }: Pick<SinkRun, "recipe" | "start">): Record<string, unknown> {
  const { logging: _, output: __, ...rest } = recipe;
  const { promptLossWeight, normalization, precision, device } = start;
  const { parameters, trainable, rows, heldOutRows, steps } = start;
  return {
    ...rest,
    loss: { ...recipe.loss, promptLossWeight, normalization },
    training: { ...recipe.training, precision, device },
    ...{ parameters, trainable, rows, heldOutRows, steps },
  };
}
