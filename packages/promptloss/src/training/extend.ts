// A finished run trained for longer: the same recipe but for its length, continued from the last checkpoint.
import { counted } from "../counted.ts";
import type { CheckpointShelf } from "./checkpoints/index.ts";
import type { Difference } from "./differences.ts";
import { TrainingError } from "./errors.ts";
import { isDue } from "./interval.ts";
import type { Manifest } from "./manifest.ts";
import type { TrainingRun } from "./run.ts";
import { learningRateAt, type ScheduleSettings, scheduleOf } from "./schedule.ts";

/** Whether a run is an earlier one but for more steps. */
export function isLonger(
  differences: readonly Difference[],
  before: Pick<Manifest, "steps">,
  run: Pick<TrainingRun, "batches">,
): boolean {
  const length = differences.every(({ key }) => key === "training.epochs" || key === "training.steps");
  return differences.length > 0 && length && run.batches.steps > before.steps;
}

/**
 * Hands the checkpoints of the shorter run to the longer one.
 * @returns what has to be said of the result
 * @throws {TrainingError} where there is no checkpoint, or where the shorter run stopped early or was about to
 */
export function extend(
  before: Pick<Manifest, "recipe" | "steps" | "end" | "fingerprint">,
  run: Pick<TrainingRun, "settings" | "output" | "batches">,
  shelf: CheckpointShelf,
): string {
  if (before.end?.reason === "stopped-early")
    throw new TrainingError(
      `${run.output}: the run stopped early after ${before.end.step} of ${counted(before.steps, "step")}, so more of them change nothing`,
      { hint: "raise evaluation.patience in a run of its own" },
    );
  const state = shelf.newestState();
  if (state === undefined)
    throw new TrainingError(`${run.output}: the run left no checkpoint to continue from`, {
      hint: "give --overwrite to train anew, with checkpoints.every other than never",
    });
  const { step, evaluationsSinceBest } = state;
  const { patience } = run.settings.evaluation ?? {};
  if (patience !== undefined && evaluationsSinceBest >= patience)
    throw new TrainingError(
      `${run.output}: by step ${step} the run had ${evaluationsSinceBest} evaluations without a better one, so it would stop at once`,
      { hint: "raise evaluation.patience in a run of its own" },
    );
  shelf.adopt(before.fingerprint);
  const schedule = scheduleNote(scheduleOf(before.recipe, before.steps), run.settings.schedule, step);
  return `${schedule}${evaluationNote(before.steps, run, step)}`;
}

/** Of the evaluation after the shorter run's last step, where the longer run has none there. */
function evaluationNote(
  last: number,
  { settings, batches }: Pick<TrainingRun, "settings" | "batches">,
  step: number,
): string {
  const { evaluation } = settings;
  if (evaluation === undefined || step < last || isDue(evaluation.every, step, batches)) return "";
  return `; the evaluation after step ${step}, which one run of ${batches.steps} steps does not have, counts for the best weights and for patience`;
}

/** Whether the result is that of the longer run from its start, and why not. */
function scheduleNote(before: ScheduleSettings, now: ScheduleSettings, step: number): string {
  const continued = `continued after step ${step} of a run of ${counted(before.steps, "step")}, to ${now.steps}`;
  const same = Array.from({ length: step }, (_, i) => i).every(
    (i) => learningRateAt(i, before) === learningRateAt(i, now),
  );
  if (same) return `${continued}: learning rates are those of one run of ${now.steps} steps`;
  const [was, is] = [learningRateAt(step - 1, before), learningRateAt(step, now)].map((rate) =>
    rate.toExponential(2),
  );
  return (
    `${continued}: ${step === 1 ? "step 1" : `steps 1 to ${step}`} had the ${before.schedule} schedule of ${counted(before.steps, "step")}, the rest has that of ` +
    `${now.steps}, so the learning rate goes from ${was} to ${is}; the result is not that of one run of ${now.steps} steps`
  );
}
