// Which kernels the operators of native/ops take.

import { operator } from "../dispatcher.ts";

const set = operator<boolean>("promptloss::use_fused_kernels");
const get = operator<boolean>("promptloss::fused_kernels");

/** Kernels that are switched apart; "few rows" and "blocks" are products too, of few rows and of weights in few bits. */
export const FUSED_KERNELS = [
  "AdamW",
  "attention",
  "blocks",
  "cross entropy",
  "few rows",
  "products",
  "RMS norm",
  "rotary embedding",
  "SiLU times up",
] as const;

export type FusedKernel = (typeof FUSED_KERNELS)[number];

/**
 * Whether fused operators take the kernels written for the processor, as they do unless told otherwise, or ATen's
 * operators alone. Both give the same up to rounding; for the whole process.
 * @param kernel which; all where left out
 * @returns what it was before
 * @throws {OperatorError} for another name
 */
export function useFusedKernels(on: boolean, kernel?: FusedKernel): boolean {
  return set(on, kernel ?? "");
}

/** What `useFusedKernels` chose; of all, whether all are on. */
export function fusedKernels(kernel?: FusedKernel): boolean {
  return get(kernel ?? "");
}
