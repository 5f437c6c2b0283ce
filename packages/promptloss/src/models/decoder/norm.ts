// Normalization over the last dimension, RMS or LayerNorm as the family has it.
import { layerNorm, rmsNorm, type Tensor } from "@promptloss/torch";
import type { NormPlan } from "../config/architecture.ts";

/** @param bias null for RMS norms */
export function normalize(plan: NormPlan, x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const { kind, eps, weightOffset } = plan;
  if (kind === "layer") return layerNorm(x, weight.shape, { weight, bias, eps });
  return rmsNorm(x, weight, { eps, weightOffset });
}
