// The gradients of all parameters as one vector: its norm, what clips it, and clearing.
import { noGrad, scope, stack, type Tensor } from "@promptloss/torch";

const gradientsOf = (parameters: Iterable<Tensor>): Tensor[] =>
  [...parameters].flatMap((parameter) => parameter.grad ?? []);

/** The L2 norm over all gradients, in float64. */
export const gradientNorm = (parameters: Iterable<Tensor>): number =>
  noGrad(() =>
    scope(() => {
      const norms = gradientsOf(parameters).map((gradient) => gradient.norm().double());
      return norms.length === 0 ? 0 : stack(norms).norm().item();
    }),
  );

/** What scales gradients of this norm to at most `most`, 1 where they are; as torch's clip_grad_norm_. */
export const clippingFactor = (norm: number, most: number): number => Math.min(1, most / (norm + 1e-6));

/** Forgets all gradients and gives their memory back. */
export const clearGradients = (parameters: Iterable<Tensor>): void => {
  for (const parameter of parameters) parameter.grad = null;
};
