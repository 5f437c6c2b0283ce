import { autocast, type DType } from "@promptloss/torch";
import type { CausalLanguageModel } from "./model.ts";

/** Runs `body` with the model's matrix products in `dtype`; in that of its weights where that is undefined. */
export function withProductsIn<T>(
  dtype: DType | undefined,
  { device }: CausalLanguageModel,
  body: () => T,
): T {
  return dtype === undefined ? body() : autocast({ dtype, device: device.split(":")[0]! }, body);
}
