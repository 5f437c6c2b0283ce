// One step of AdamW: on one tensor, from the library of native/ops, or on many by libtorch's fused operator.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<void>("promptloss::adamw_step_");
const many = operator<void>("promptloss::adamw_steps_");
const hasMany = operator<boolean>("promptloss::has_adamw_steps");

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

export interface AdamWStepsOptions extends Omit<AdamWStepOptions, "steps" | "gradientScale"> {
  /** The steps taken, this one included, as a float32 tensor of no dimensions. */
  steps: Tensor;
  /** What gradients are divided by first, likewise; they are left divided. */
  gradientDivisor: Tensor;
  /** 1 to leave all as it is, 0 for a step, likewise: an accelerator decides it without being waited for. */
  skip: Tensor;
}

/**
 * `adamwStep_` on many tensors of one dtype at once, by libtorch's fused operator: a launch or a few on CUDA, and nothing
 * that the calling thread waits for. Call it under `noGrad`, where {@link hasAdamwSteps}.
 *
 * @param parameters float32 or float64, with `firsts`, `seconds` and `gradients` in their order
 * @throws {OperatorError} for lengths, shapes, dtypes, devices or layouts that don't fit
 */
export function adamwSteps_(
  parameters: readonly Tensor[],
  firsts: readonly Tensor[],
  seconds: readonly Tensor[],
  gradients: readonly Tensor[],
  options: AdamWStepsOptions,
): void {
  const {
    rate,
    steps,
    betas = [0.9, 0.999],
    epsilon = 1e-8,
    weightDecay = 0,
    gradientDivisor,
    skip,
  } = options;
  const [beta1, beta2] = betas;
  many(
    ...[parameters, firsts, seconds, gradients, steps],
    ...[rate, beta1, beta2, epsilon, weightDecay],
    ...[gradientDivisor, skip],
  );
}

/** Whether {@link adamwSteps_} serves tensors of this libtorch. */
export function hasAdamwSteps(): boolean {
  return hasMany();
}
