// The dtype of matrix products: bf16 where the device multiplies it faster than float32.
import type { DType } from "@promptloss/torch";
import { readProcessor } from "../doctor/processor.ts";

/** Processor features that make bf16 products faster; without one of them libtorch emulates them, slowly. */
const BF16_FEATURES = ["AMX bf16", "AVX-512 bf16", "bf16"];

/** Undefined for float32, which is the weights' own. */
export const computeDtype = (precision: "auto" | "bf16" | "fp32", device: string): DType | undefined => {
  if (precision === "fp32") return undefined;
  if (precision === "bf16" || device !== "cpu") return "bfloat16";
  const { features } = readProcessor();
  return BF16_FEATURES.some((feature) => features[feature]) ? "bfloat16" : undefined;
};
