// What tests of fused operators share: the same call by torch's operators, in float64.
import { type Tensor, useFusedKernels } from "../../src/index.ts";

/** Runs with torch's operators alone. */
export function withoutFusedKernels<T>(run: () => T): T {
  const before = useFusedKernels(false);
  try {
    return run();
  } finally {
    useFusedKernels(before);
  }
}

/** The same numbers in float64, as a leaf of their own. */
export function exactTwin(tensor: Tensor): Tensor {
  const twin = tensor.double().detach();
  twin.requiresGrad = tensor.requiresGrad;
  return twin;
}

/** The largest difference, as a share of the largest number and at least of 1. */
export function relativeDifference(found: Tensor, exact: Tensor): number {
  return found.double().sub(exact.double()).abs().amax().item() / Math.max(1, exact.abs().amax().item());
}
