// The gradients of all parameters as one vector: its norm, what clips it, and clearing.
import { type Tensor, totalNorm } from "@promptloss/torch";

/** The L2 norm over all gradients, summed in float64. */
export function gradientNorm(parameters: Iterable<Tensor>): number {
  const gradients = [...parameters].flatMap((parameter) => parameter.grad ?? []);
  try {
    return totalNorm(gradients);
  } finally {
    for (const gradient of gradients) gradient.free();
  }
}

/** What scales gradients of this norm to at most `most`, 1 where they are; as torch's clip_grad_norm_. */
export function clippingFactor(norm: number, most: number): number {
  return Math.min(1, most / (norm + 1e-6));
}

/** Forgets all gradients and gives their memory back. */
export function clearGradients(parameters: Iterable<Tensor>): void {
  for (const parameter of parameters) parameter.grad = null;
}
