// The one way from a pack of rows to a loss: hidden states, the fused weighted cross entropy, and what the model
// did on each part. Training, held-out loss and the loss command all come through here.
import {
  type DType,
  fromTypedArray,
  noGrad,
  scope,
  type Tensor,
  weightedCrossEntropy,
} from "@promptloss/torch";
import type { PackedTokens } from "../../data/packing/index.ts";
import { IGNORE_INDEX } from "../../data/packing/index.ts";
import type { LossFactors } from "../../loss/normalization.ts";
import { type PartSums, rowSums } from "../../loss/part-sums.ts";
import type { Reweighting } from "../../loss/reweighting.ts";
import type { CausalLanguageModel, ForwardOptions } from "../decoder/model.ts";
import { withProductsIn } from "../decoder/products.ts";

export interface PackLossOptions {
  /** The factor of w·ℓ by the code of a token's class, from `lossFactors` over the whole batch. */
  readonly factors: LossFactors;
  /** ε of label smoothing, inside the same reduction. */
  readonly labelSmoothing?: number | undefined;
  readonly reweighting?: Reweighting | undefined;
  /** Measure tokens of weight 0 too, without gradient: their logits are not needed otherwise. */
  readonly measureAll?: boolean;
  /** The dtype of matrix products; that of the weights where left out. */
  readonly compute?: DType | undefined;
  readonly forward?: ForwardOptions | undefined;
}

export interface PackLoss {
  /** Σ factor·w·ℓ, a scalar in float32 (float64 for a model in float64). Owned by the caller's scope. */
  readonly loss: Tensor;
  /** The last hidden states, [tokens, width]. */
  readonly hidden: Tensor;
  /** Of each row of the pack. */
  readonly rows: readonly PartSums[];
}

/** What the model makes of each place of a pack: its prediction of the next token, 0 where there is none. */
export interface PlacePredictions {
  /** Cross entropies in nats, unweighted and without smoothing, [tokens]. */
  readonly losses: Float64Array;
  /** 1 where the likeliest token is the right one, [tokens]. */
  readonly correct: Uint8Array;
}

/** A loss that training may take in place of {@link packLoss}: of a pack, differentiable by the model's weights. */
export type PackLossFunction = (
  model: CausalLanguageModel,
  pack: PackedTokens,
  options: PackLossOptions,
) => PackLoss;

/** The loss of a pack, and its unweighted losses and accuracies by side. */
export function packLoss(
  model: CausalLanguageModel,
  pack: PackedTokens,
  options: PackLossOptions,
): PackLoss & { readonly predictions: PlacePredictions } {
  return scope(() => withProductsIn(options.compute, model, () => lossOf(model, pack, options)));
}

function lossOf(
  model: CausalLanguageModel,
  pack: PackedTokens,
  options: PackLossOptions,
): PackLoss & { readonly predictions: PlacePredictions } {
  const { device } = model;
  const { factors, reweighting, labelSmoothing = 0, measureAll = false } = options;
  const { targets, weights } = pack.shifted();
  const coefficients = weights.map((weight, place) => weight * factors[pack.classes[place + 1] ?? 0]!);
  const { hidden, head } = model.forwardToHead(pack, options.forward);
  const on = (values: Float32Array | BigInt64Array): Tensor => fromTypedArray(values, undefined, { device });
  const wanted = on(BigInt64Array.from(targets, BigInt));
  const settings = { reduction: "sum", logitSoftcap: model.architecture.logitSoftcap ?? 0 } as const;
  const scores = (states: Tensor, by: Tensor) => weightedCrossEntropy(states, head, wanted, by, settings);
  let scale = on(coefficients);
  if (reweighting !== undefined)
    scale = noGrad(() => {
      const losses = scores(hidden.detach(), scale).tokenLosses;
      return scale.mul(reweighting({ pack, losses, weights: scale }));
    });
  const { loss, tokenLosses, tokenCorrect } = weightedCrossEntropy(hidden, head, wanted, scale, {
    ...settings,
    labelSmoothing,
  });
  const predictions = numbers(tokenLosses, tokenCorrect);
  if (measureAll && targets.some((target, place) => target !== IGNORE_INDEX && coefficients[place] === 0)) {
    const silent = coefficients.map((coefficient) => (coefficient > 0 ? 0 : 1));
    const measured = noGrad(() => scores(hidden.detach(), on(silent)));
    const { losses, correct } = numbers(measured.tokenLosses, measured.tokenCorrect);
    for (const [place, isSilent] of silent.entries())
      if (isSilent === 1) {
        predictions.losses[place] = losses[place]!;
        predictions.correct[place] = correct[place]!;
      }
  }
  const isMeasured = (place: number): boolean => measureAll || coefficients[place]! > 0;
  const rows = Array.from({ length: pack.rowCount }, (_, row) => rowSums(pack, row, predictions, isMeasured));
  return { loss, hidden, rows, predictions };
}

function numbers(losses: Tensor, correct: Tensor): PlacePredictions {
  return {
    losses: losses.to({ dtype: "float64" }).toTypedArray("float64"),
    correct: correct.to({ dtype: "uint8" }).toTypedArray("uint8"),
  };
}
