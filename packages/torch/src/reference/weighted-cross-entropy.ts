// The token-weighted cross entropy of a language model's head in float64, with every gradient, by plain loops over
// whole rows of logits: the reference of the native operator of the same name. Not fast, and not meant to be.

import { ReferenceArgumentError } from "./errors.ts";

/** A target of this value takes its token out of the loss, as a weight of 0 does. */
const IGNORED_TARGET = -100;

/** N tokens, D hidden units, V vocabulary entries; matrices row by row. */
export interface WeightedCrossEntropyInputs {
  /** Hidden states, [N, D]. */
  readonly hidden: ArrayLike<number>;
  /** The output projection, [V, D]: logits = hidden · headᵀ + bias. */
  readonly head: ArrayLike<number>;
  /** Token ids in [0, V), or -100 for a token to ignore, [N]. */
  readonly targets: ArrayLike<number>;
  /** Weights of the token losses, finite and not negative, [N]. */
  readonly weights: ArrayLike<number>;
  /** Added to the logits, [V]. */
  readonly bias?: ArrayLike<number> | undefined;
  /** D, from which N and V follow. */
  readonly units: number;
}

export interface WeightedCrossEntropyOptions {
  /** Σ w·ℓ / Σ w, or Σ w·ℓ; `mean` when left out. */
  readonly reduction?: "mean" | "sum";
  /** ε: the target distribution is (1 − ε)·onehot + ε/V. In [0, 1]; 0 when left out. */
  readonly labelSmoothing?: number;
  /** c: logits z become c·tanh(z/c), as in Gemma 2. 0, the value when left out, leaves them. */
  readonly logitSoftcap?: number;
}

/** Derivatives of the loss, in the shapes of the inputs. */
export interface WeightedCrossEntropyGradients {
  readonly hidden: Float64Array;
  readonly head: Float64Array;
  readonly bias: Float64Array;
  readonly weights: Float64Array;
}

export interface WeightedCrossEntropyResult {
  readonly loss: number;
  /** Cross entropies in nats, unweighted and without smoothing, [N]; 0 for a token that does not count. */
  readonly tokenLosses: Float64Array;
  /** 1 where no other entry is likelier than the target, else 0, [N]; 0 for a token that does not count. */
  readonly tokenCorrect: Uint8Array;
  readonly gradients: WeightedCrossEntropyGradients;
}

/**
 * The loss of each token is ℓ = −Σ_v q_v log p_v, where p is the softmax of its logits and q the smoothed target.
 *
 * @throws {ReferenceArgumentError} for lengths that don't fit, a target outside the vocabulary, a weight that is
 * negative or not finite, an option out of range, and a mean over weights that are all 0.
 */
export function weightedCrossEntropy(
  inputs: WeightedCrossEntropyInputs,
  options: WeightedCrossEntropyOptions = {},
): WeightedCrossEntropyResult {
  const { reduction = "mean", labelSmoothing = 0, logitSoftcap = 0 } = options;
  const { tokens, vocabulary } = checkedSizes(inputs);
  check(
    reduction === "mean" || reduction === "sum",
    "reduction",
    `must be "mean" or "sum", got "${reduction}"`,
  );
  check(
    labelSmoothing >= 0 && labelSmoothing <= 1,
    "labelSmoothing",
    `must be in [0, 1], got ${labelSmoothing}`,
  );
  check(
    logitSoftcap >= 0 && logitSoftcap < Number.POSITIVE_INFINITY,
    "logitSoftcap",
    `must be positive, or 0 for none, got ${logitSoftcap}`,
  );
  const { hidden, head, targets, weights, bias, units } = inputs;

  const counted = Array.from(targets, (target, t) => (target === IGNORED_TARGET ? 0 : weights[t]!));
  const totalWeight = counted.reduce((sum, weight) => sum + weight, 0);
  check(reduction === "sum" || totalWeight > 0, "weights", "are all 0, so that a mean is not defined");
  const denominator = reduction === "mean" ? totalWeight : 1;

  const losses = new Float64Array(tokens);
  const tokenLosses = new Float64Array(tokens);
  const tokenCorrect = new Uint8Array(tokens);
  const gradients = {
    hidden: new Float64Array(hidden.length),
    head: new Float64Array(head.length),
    bias: new Float64Array(vocabulary),
    weights: new Float64Array(tokens),
  };
  for (let t = 0; t < tokens; t++) {
    if (targets[t] === IGNORED_TARGET) {
      continue;
    }
    const logits = new Float64Array(vocabulary);
    const capSlopes = new Float64Array(vocabulary).fill(1);
    for (let v = 0; v < vocabulary; v++) {
      let logit = bias?.[v] ?? 0;
      for (let d = 0; d < units; d++) {
        logit += hidden[t * units + d]! * head[v * units + d]!;
      }
      if (logitSoftcap > 0) {
        const squashed = Math.tanh(logit / logitSoftcap);
        logit = logitSoftcap * squashed;
        capSlopes[v] = 1 - squashed ** 2;
      }
      logits[v] = logit;
    }
    const logProbabilities = logSoftmax(logits);
    if (counted[t] !== 0) {
      tokenLosses[t] = -logProbabilities[targets[t]!]!;
      tokenCorrect[t] = logits.every((logit) => logit <= logits[targets[t]!]!) ? 1 : 0;
    }
    for (let v = 0; v < vocabulary; v++) {
      const wanted = (v === targets[t] ? 1 - labelSmoothing : 0) + labelSmoothing / vocabulary;
      if (wanted > 0) {
        losses[t]! -= wanted * logProbabilities[v]!;
      }
      // ∂ℓ/∂logit = p − q, through the cap.
      const slope = (Math.exp(logProbabilities[v]!) - wanted) * capSlopes[v]! * (counted[t]! / denominator);
      gradients.bias[v]! += slope;
      for (let d = 0; d < units; d++) {
        gradients.hidden[t * units + d]! += slope * head[v * units + d]!;
        gradients.head[v * units + d]! += slope * hidden[t * units + d]!;
      }
    }
  }

  const loss = counted.reduce((sum, weight, t) => sum + weight * losses[t]!, 0) / denominator;
  for (let t = 0; t < tokens; t++) {
    if (targets[t] !== IGNORED_TARGET) {
      gradients.weights[t] = reduction === "mean" ? (losses[t]! - loss) / denominator : losses[t]!;
    }
  }
  return { loss, tokenLosses, tokenCorrect, gradients };
}

function logSoftmax(logits: Float64Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return logits.map((logit) => logit - largest - Math.log(total));
}

function checkedSizes(inputs: WeightedCrossEntropyInputs): { tokens: number; vocabulary: number } {
  const { hidden, head, targets, weights, bias, units } = inputs;
  check(Number.isInteger(units) && units > 0, "units", `must be a positive integer, got ${units}`);
  const tokens = targets.length;
  const vocabulary = head.length / units;
  check(
    Number.isInteger(vocabulary) && vocabulary > 0,
    "head",
    `must hold rows of ${units} numbers, got ${head.length} numbers`,
  );
  check(
    hidden.length === tokens * units,
    "hidden",
    `must hold ${tokens} × ${units} numbers, got ${hidden.length}`,
  );
  check(weights.length === tokens, "weights", `must be one a target, ${tokens}, got ${weights.length}`);
  if (bias !== undefined) {
    check(bias.length === vocabulary, "bias", `must hold ${vocabulary} numbers, got ${bias.length}`);
  }
  for (let t = 0; t < tokens; t++) {
    const [target, weight] = [targets[t]!, weights[t]!];
    check(
      target === IGNORED_TARGET || (Number.isInteger(target) && target >= 0 && target < vocabulary),
      "targets",
      `must be in [0, ${vocabulary}), got ${target} at token ${t}`,
    );
    check(
      weight >= 0 && weight < Number.POSITIVE_INFINITY,
      "weights",
      `must be finite and not negative, got ${weight} at token ${t}`,
    );
  }
  return { tokens, vocabulary };
}

function check(holds: boolean, argument: string, cause: string): void {
  if (!holds) {
    throw new ReferenceArgumentError(argument, cause);
  }
}
