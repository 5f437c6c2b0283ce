// The slider's scale: even in the logarithm of the weight down to 0.001, and even in the weight from there to 0.

/** The last step; its weight is 1. */
export const LAST_STEP = 320;

/** Steps from 0 to the smallest weight of the logarithm's part. */
const EVEN_STEPS = 20;
const SMALLEST = 0.001;

/** Weights are round enough to be written into a recipe. */
const DIGITS = 3;

/** The weight of a step from 0 to `LAST_STEP`: exactly 0 and 1 at the ends. */
export function weightOfStep(step: number): number {
  if (step <= 0) return 0;
  if (step >= LAST_STEP) return 1;
  const weight =
    step <= EVEN_STEPS
      ? (SMALLEST * step) / EVEN_STEPS
      : SMALLEST ** ((LAST_STEP - step) / (LAST_STEP - EVEN_STEPS));
  return Number(weight.toPrecision(DIGITS));
}

/** The step nearest to a weight in [0, 1]; 0 for 0 alone. */
export function stepOfWeight(weight: number): number {
  if (weight <= 0) return 0;
  if (weight >= 1) return LAST_STEP;
  if (weight <= SMALLEST) return Math.max(1, Math.round((EVEN_STEPS * weight) / SMALLEST));
  return LAST_STEP - Math.round(((LAST_STEP - EVEN_STEPS) * Math.log(weight)) / Math.log(SMALLEST));
}
