// The fused loss over a language model's vocabulary, from the library of native/ops.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<[Tensor, Tensor, Tensor]>("promptloss::weighted_cross_entropy");

export interface WeightedCrossEntropyOptions {
  /** Added to the logits, [V]. */
  bias?: Tensor | null;
  /** Σ w·ℓ / Σ w, or Σ w·ℓ. */
  reduction?: "mean" | "sum";
  /** ε: the target distribution is (1 − ε)·onehot + ε/V. In [0, 1]. */
  labelSmoothing?: number;
  /** c: logits z become c·tanh(z/c), as in Gemma 2. 0 leaves them. */
  logitSoftcap?: number;
  /** Tokens whose logits exist at one time; 0 chooses. */
  chunkSize?: number;
  /**
   * Says that targets and weights are as they must be: they are not looked at, so an accelerator is not waited for. Wrong
   * ones give wrong numbers then, or end the process.
   */
  trusted?: boolean;
  /** With `trusted`: the places of all tokens with a weight above 0 and a target, [count] int64; all tokens where left out. */
  places?: Tensor | undefined;
}

/** The loss, and what it is made of. */
export interface WeightedLoss {
  /** A scalar, float32 (float64 for float64 inputs); differentiable once by hidden, head, bias and weights. */
  readonly loss: Tensor;
  /**
   * The cross entropy of each token in nats, unweighted and without smoothing, in the shape of the targets; 0 where the
   * weight is 0. No gradient.
   */
  readonly tokenLosses: Tensor;
  /** Whether no other token is likelier than the target, bool, in the shape of the targets; false where the weight is 0. */
  readonly tokenCorrect: Tensor;
}

/**
 * The cross entropy of the logits hidden · headᵀ with a weight w for each token's loss ℓ. Logits of tokens of weight 0
 * are never computed, those of the others only in chunks.
 *
 * @param hidden hidden states, [..., D]
 * @param head the output projection, [V, D], of hidden's dtype
 * @param targets token ids [...], int64; −100 takes a token out, as a weight of 0 does
 * @param weights weights of the token losses [...], float32 or float64, finite and not negative
 * @throws {OperatorError} for shapes that don't fit, a target outside the vocabulary, a bad weight, and a mean over
 *   weights that are all 0
 */
export function weightedCrossEntropy(
  hidden: Tensor,
  head: Tensor,
  targets: Tensor,
  weights: Tensor,
  options: WeightedCrossEntropyOptions = {},
): WeightedLoss {
  const { bias = null, reduction = "mean", labelSmoothing = 0, logitSoftcap = 0, chunkSize = 0 } = options;
  const { trusted = false, places = null } = options;
  const [loss, tokenLosses, tokenCorrect] = native(
    hidden,
    head,
    targets,
    weights,
    bias,
    reduction,
    labelSmoothing,
    logitSoftcap,
    chunkSize,
    places,
    trusted,
  );
  return { loss, tokenLosses, tokenCorrect };
}
