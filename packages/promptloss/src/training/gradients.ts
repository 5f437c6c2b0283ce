// The gradients of all parameters as one vector: its norm, clipping, and clearing.
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

/** Scales the gradients so that their norm, given, is at most `most`; as torch's clip_grad_norm_. */
export const clipGradients = (parameters: Iterable<Tensor>, norm: number, most: number): void => {
  const factor = most / (norm + 1e-6);
  if (!(factor < 1)) return;
  noGrad(() =>
    scope(() => {
      for (const gradient of gradientsOf(parameters)) gradient.mul_(factor);
    }),
  );
};

/** Forgets all gradients and gives their memory back. */
export const clearGradients = (parameters: Iterable<Tensor>): void => {
  for (const parameter of parameters) parameter.grad = null;
};
