// The training loop: a step; then, where they are due, an evaluation and a checkpoint.
import { reusingMemory } from "@promptloss/torch";
import type { TrainingRun } from "./run.ts";
import { Trainer, type TrainerOptions, type TrainResult } from "./trainer.ts";

export interface TrainOptions extends TrainerOptions {
  /** Called once, before the first step: how many steps an earlier process did. */
  readonly onStart?: (firstStep: number) => void;
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * Trains the run's model in place; goes on from the newest checkpoint where there is one.
 * @throws {DivergenceError} where the loss or a gradient is not finite; checkpoints stay as they are
 * @example
 * ```ts
 * import { prepareRun, readRecipe, train } from "promptloss";
 *
 * const run = await prepareRun(readRecipe("recipe.yaml", { set: ["output=trained"] }));
 * const { reason } = await train(run, { checkpoints: "trained/checkpoints" });
 * console.log(reason);
 * run.free();
 * ```
 */
export async function train(run: TrainingRun, options: TrainOptions): Promise<TrainResult> {
  const { batches, settings } = run;
  using _memory = reusingMemory();
  using trainer = new Trainer(run, options);
  const notes = trainer.resume();
  options.onStart?.(trainer.state.step);
  for (const message of notes) options.onEvent?.({ type: "note", message });

  for (const batch of batches.from(trainer.state.step)) {
    // Asked before the step: a run that is taken up where it had stopped stops again.
    if (trainer.isOutOfPatience) return trainer.finish("stopped-early");
    if (trainer.anyRank(options.signal?.aborted === true)) return trainer.finish("interrupted");
    trainer.step(batch);
    // After the last step too, so that the weights that are written have always been measured.
    const isLast = batch.step + 1 === batches.steps;
    if (settings.evaluation && (isLast || trainer.isDue(settings.evaluation.every))) trainer.evaluate();
    if (trainer.isDue(settings.checkpoints.every)) trainer.checkpoint();
    // Signals reach the process between two turns of its event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return trainer.finish("completed");
}
