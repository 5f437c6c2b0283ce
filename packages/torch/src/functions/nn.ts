// What neural networks add: normalization, attention, dropout, losses.

import { hasOperator, operator } from "../dispatcher.ts";
import type { DType } from "../dtype.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { logicalNot } from "./comparison.ts";
import { to } from "./conversion.ts";
import { ones } from "./creation.ts";
import { maskedFill } from "./indexing.ts";
import { matmul, tril } from "./linalg.ts";
import { transpose } from "./shape.ts";

const native = {
  softmax: operator("aten::softmax.int"),
  logSoftmax: operator("aten::log_softmax.int"),
  layerNorm: operator("aten::layer_norm"),
  dropout: operator("aten::dropout"),
  crossEntropy: operator("aten::cross_entropy_loss"),
  nllLoss: operator("aten::nll_loss_nd"),
  mseLoss: operator("aten::mse_loss"),
  klDiv: operator("aten::kl_div"),
  bce: operator("aten::binary_cross_entropy_with_logits"),
  attention: operator("aten::scaled_dot_product_attention"),
};

/** e^x / Σ e^x along `dim`. */
export function softmax(input: Tensor, dim: number, { dtype }: { dtype?: DType } = {}): Tensor {
  return native.softmax(input, dim, dtype ?? null);
}

/** log softmax along `dim`, without overflow. */
export function logSoftmax(input: Tensor, dim: number, { dtype }: { dtype?: DType } = {}): Tensor {
  return native.logSoftmax(input, dim, dtype ?? null);
}

export interface NormalizationOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  eps?: number;
}

/** Normalized over the last dimensions `shape`, then scaled and shifted (Ba et al., 2016). */
export function layerNorm(
  input: Tensor,
  shape: readonly number[],
  options: NormalizationOptions = {},
): Tensor {
  const { weight = null, bias = null, eps = 1e-5 } = options;
  return native.layerNorm(input, shape, weight, bias, eps, true);
}

export interface DropoutOptions {
  /** False makes it the identity. */
  training?: boolean;
}

/** Zeroes elements with probability p and scales the rest by 1 / (1 − p). */
export function dropout(input: Tensor, p: number, { training = true }: DropoutOptions = {}): Tensor {
  return native.dropout(input, p, training);
}

/** How a loss over many elements becomes one number, or doesn't. */
export type Reduction = "none" | "mean" | "sum";

const reductions: Record<Reduction, number> = { none: 0, mean: 1, sum: 2 };

export interface CrossEntropyOptions {
  /** A weight a class, [classes]. */
  weight?: Tensor | null;
  reduction?: Reduction;
  /** Targets of this value don't count. */
  ignoreIndex?: number;
  labelSmoothing?: number;
}

/** −log softmax(input)[target]: logits [n, classes] (or [n, classes, ...]), targets [n] int64. */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight = null, reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = options;
  return native.crossEntropy(input, target, weight, reductions[reduction], ignoreIndex, labelSmoothing);
}

/** −input[target]: log-probabilities [n, classes], targets [n] int64. */
export function nllLoss(
  input: Tensor,
  target: Tensor,
  options: Omit<CrossEntropyOptions, "labelSmoothing"> = {},
): Tensor {
  const { weight = null, reduction = "mean", ignoreIndex = -100 } = options;
  return native.nllLoss(input, target, weight, reductions[reduction], ignoreIndex);
}

export interface LossOptions {
  reduction?: Reduction;
}

/** (input − target)². */
export function mseLoss(input: Tensor, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  return native.mseLoss(input, target, reductions[reduction]);
}

/** target · (log target − input), with `input` as log-probabilities. */
export function klDiv(
  input: Tensor,
  target: Tensor,
  { reduction = "mean", logTarget = false }: LossOptions & { logTarget?: boolean } = {},
): Tensor {
  return native.klDiv(input, target, reductions[reduction], logTarget);
}

/** Cross entropy of probabilities `target` and sigmoid(input). */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  { reduction = "mean" }: LossOptions = {},
): Tensor {
  return native.bce(input, target, null, null, reductions[reduction]);
}

export interface AttentionOptions {
  /** Added to the scores, or bool with true where attention is allowed; broadcast to [..., q, k]. */
  mask?: Tensor | null;
  /** Each position sees itself and those before it. Not together with `mask`. */
  causal?: boolean;
  dropout?: number;
  /** 1 / √width where left out. */
  scale?: number;
}

/** softmax(q·kᵀ·scale + mask)·v: query [..., q, width], key and value [..., k, width] → [..., q, width]. */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { mask = null, causal = false, dropout: p = 0, scale } = options;
  fusedAttention ??= hasOperator("aten::scaled_dot_product_attention");
  if (!fusedAttention) return plainAttention(query, key, value, options);
  return scale === undefined
    ? native.attention(query, key, value, mask, p, causal)
    : native.attention(query, key, value, mask, p, causal, scale);
}

// libtorch before 2.0 has no fused operator.
let fusedAttention: boolean | undefined;

/** @internal The same in plain operators. */
export function plainAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { mask = null, causal = false, dropout: p = 0 } = options;
  const { dtype } = query;
  // Scores rounded to 16 bits would lose what the fused operator keeps.
  if (dtype === "bfloat16" || dtype === "float16")
    return scope(() => {
      const [q, k, v] = [query, key, value].map((each) => to(each, { dtype: "float32" })) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const wideMask = mask === null || mask.dtype === "bool" ? mask : to(mask, { dtype: "float32" });
      return to(plainAttention(q, k, v, { ...options, mask: wideMask }), { dtype });
    });
  return scope(() => {
    const scale = options.scale ?? 1 / Math.sqrt(query.shape.at(-1) as number);
    let scores = mul(matmul(query, transpose(key, -2, -1)), scale);
    const lengths = scores.shape.slice(-2);
    const allowed = causal ? tril(ones(lengths, { dtype: "bool", device: query.device })) : mask;
    if (allowed?.dtype === "bool") scores = maskedFill(scores, logicalNot(allowed), Number.NEGATIVE_INFINITY);
    else if (allowed != null) scores = add(scores, allowed);
    const weights = softmax(scores, -1);
    return matmul(p > 0 ? dropout(weights, p) : weights, value);
  });
}
