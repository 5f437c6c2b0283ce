// Learning rates over the steps of a run: a linear warm-up, then constant, linear or cosine to 0, as transformers'
// `constant_with_warmup`, `linear` and `cosine`. Pure.
import { counted } from "../counted.ts";
import type { Recipe } from "../recipe/index.ts";
import { TrainingError } from "./errors.ts";

export interface ScheduleSettings {
  readonly schedule: Recipe["training"]["schedule"];
  readonly learningRate: number;
  /** Steps of the run. */
  readonly steps: number;
  /** Steps over which the rate rises from 0. */
  readonly warmupSteps: number;
}

/**
 * A recipe's schedule over so many steps.
 * @throws {TrainingError} for a warm-up longer than the run
 */
export function scheduleOf({ training }: Recipe, steps: number): ScheduleSettings {
  const { schedule, learningRate, warmupSteps, warmupRatio } = training;
  const settings = {
    schedule,
    learningRate,
    steps,
    warmupSteps: warmupSteps ?? warmupStepsOf(steps, warmupRatio ?? 0),
  };
  checkWarmup(settings);
  return settings;
}

function checkWarmup({ steps, warmupSteps }: ScheduleSettings): void {
  if (warmupSteps <= steps) return;
  throw new TrainingError(`a warm-up of ${counted(warmupSteps, "step")} is longer than the run of ${steps}`, {
    hint: "lower training.warmupSteps or training.warmupRatio",
  });
}

/**
 * The learning rate of a step, counted from 0.
 * @throws {TrainingError} for a warm-up longer than the run
 */
export function learningRateAt(step: number, settings: ScheduleSettings): number {
  checkWarmup(settings);
  const { schedule, learningRate, steps, warmupSteps } = settings;
  if (step < warmupSteps) return (learningRate * step) / warmupSteps;
  if (schedule === "constant") return learningRate;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  const factor = schedule === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return learningRate * Math.max(0, factor);
}

/** As transformers: a ratio's steps, rounded up. */
export function warmupStepsOf(steps: number, ratio: number): number {
  return Math.ceil(steps * ratio);
}
