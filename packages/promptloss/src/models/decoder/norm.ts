// Normalisation over the last dimension, RMS or LayerNorm as the family has it.
import { layerNorm, rmsNorm, scope, type Tensor } from "@promptloss/torch";
import type { NormPlan } from "../config/architecture.ts";

/** @param bias null for RMS norms */
export const normalise = (plan: NormPlan, x: Tensor, weight: Tensor, bias: Tensor | null): Tensor => {
  const { kind, eps, weightOffset } = plan;
  if (kind === "layer") return layerNorm(x, weight.shape, { weight, bias, eps });
  if (weightOffset === 0) return rmsNorm(x, weight, { eps });
  // Gemma multiplies before it goes back to the narrow dtype.
  return scope(() => {
    const wide = x.to({ dtype: x.dtype === "float64" ? "float64" : "float32" });
    const scale = wide.square().mean(-1, { keepdim: true }).add(eps).rsqrt();
    const factor = weight.to({ dtype: wide.dtype }).add(weightOffset);
    return wide.mul(scale).mul(factor).to({ dtype: x.dtype });
  });
};
