// One step of AdamW on one tensor, from the library of native/ops.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<void>("promptloss::adamw_step_");

export interface AdamWStepOptions {
  /** Of this step; the schedule is the caller's. */
  rate: number;
  /** The steps taken, this one included: the first is 1. */
  steps: number;
  /** Decay of the moments' averages; 0.9 and 0.999 when left out. */
  betas?: readonly [number, number];
  /** 1e-8 when left out. */
  epsilon?: number;
  /** The step takes rate · weightDecay of each weight; 0 when left out. */
  weightDecay?: number;
  /** What the gradient is multiplied by before all else, to clip it say; 1 when left out. */
  gradientScale?: number;
}

/**
 * Updates a parameter and its two moments in place, as torch.optim.AdamW does (Loshchilov and Hutter, 2019); float32
 * on the CPU in one pass over memory. Not differentiable: call it under `noGrad`.
 *
 * @param parameter of any shape; float32 or float64
 * @param first the average of gradients, as `parameter`; zeros before the first step
 * @param second the average of their squares, likewise
 * @param gradient as `parameter`
 * @throws {OperatorError} for shapes, dtypes, devices or settings that don't fit
 */
export function adamwStep_(
  parameter: Tensor,
  first: Tensor,
  second: Tensor,
  gradient: Tensor,
  options: AdamWStepOptions,
): void {
  const {
    rate,
    steps,
    betas: [beta1, beta2] = [0.9, 0.999],
    epsilon = 1e-8,
    weightDecay = 0,
    gradientScale = 1,
  } = options;
  native(parameter, first, second, gradient, steps, rate, beta1, beta2, epsilon, weightDecay, gradientScale);
}
