// The gradients of all parameters as one vector: its norm, what clips it, and clearing.
import { maximum, ones, scope, type Tensor, totalNorm, totalNormTensor } from "@promptloss/torch";

/** The L2 norm over all gradients, summed in float64. */
export function gradientNorm(parameters: Iterable<Tensor>): number {
  const gradients = [...parameters].flatMap((parameter) => parameter.grad ?? []);
  try {
    return totalNorm(gradients);
  } finally {
    for (const gradient of gradients) gradient.free();
  }
}

/** The same as a tensor on the gradients' device, which is not waited for. */
export function gradientNormTensor(parameters: Iterable<Tensor>, device: string): Tensor {
  return scope(() =>
    totalNormTensor(
      [...parameters].flatMap((parameter) => parameter.grad ?? []),
      device,
    ),
  );
}

/** What scales gradients of this norm to at most `most`, 1 where they are; as torch's clip_grad_norm_. */
export function clippingFactor(norm: number, most: number): number {
  return Math.min(1, most / (norm + 1e-6));
}

/** What divides gradients of this norm to at most `most`: 1 / {@link clippingFactor}, as a tensor. */
export function clippingDivisor(norm: Tensor, most: number): Tensor {
  return scope(() => maximum(norm.add(1e-6).div(most), ones([], { device: norm.device })));
}

/** Forgets all gradients and gives their memory back. */
export function clearGradients(parameters: Iterable<Tensor>): void {
  for (const parameter of parameters) parameter.grad = null;
}
