// The dtype of matrix products: bf16 where the device multiplies it faster than float32.
import type { DType } from "@promptloss/torch";
import type { ProductDtype } from "../dtypes.ts";
import { readProcessor } from "../machine/processor.ts";

/** Processor features that make bf16 products faster; without one of them numbers are widened to float32. */
const BF16_FEATURES = ["AMX bf16", "AVX-512 bf16", "bf16"];

/** Undefined for float32, which is the weights' own. */
export function computeDtype(precision: "auto" | ProductDtype, device: string): DType | undefined {
  if (precision === "float32") return undefined;
  return precision === "bfloat16" || multipliesBf16(device) ? "bfloat16" : undefined;
}

/** What a user should know of a precision that was asked for; undefined where the device has it. */
export function precisionNote(
  compute: DType | undefined,
  device: string,
  has: (device: string) => boolean = multipliesBf16,
): string | undefined {
  if (compute !== "bfloat16" || has(device)) return undefined;
  return "precision bfloat16: this processor has no bf16 instructions, so that bfloat16 saves memory and no time; with precision auto it takes float32";
}

function multipliesBf16(device: string): boolean {
  if (device !== "cpu") return true;
  const { features } = readProcessor();
  return BF16_FEATURES.some((feature) => features[feature]);
}
