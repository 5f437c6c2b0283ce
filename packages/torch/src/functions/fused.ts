// Which kernels the operators of native/ops take.

import { operator } from "../dispatcher.ts";

const set = operator<boolean>("promptloss::use_fused_kernels");
const get = operator<boolean>("promptloss::fused_kernels");

/**
 * Whether fused operators take the kernels written for the processor, as they do unless told otherwise, or ATen's
 * operators alone. Both give the same up to rounding; for the whole process.
 * @returns what it was before
 */
export function useFusedKernels(on: boolean): boolean {
  return set(on);
}

/** What `useFusedKernels` chose. */
export function fusedKernels(): boolean {
  return get();
}
