// The one way from a pack of rows to a loss: hidden states, the fused weighted cross entropy, and what the model
// did on each part. Training, held-out loss and the loss command all come through here.
import {
  type DType,
  noGrad,
  scope,
  type Tensor,
  type TypedArray,
  upload,
  type WeightedCrossEntropyOptions,
  weightedCrossEntropy,
} from "@promptloss/torch";
import type { PackedTokens } from "../../data/packing/index.ts";
import { IGNORE_INDEX } from "../../data/packing/index.ts";
import { LossError } from "../../loss/errors.ts";
import type { LossFactors } from "../../loss/normalization.ts";
import { type PartSums, rowSums } from "../../loss/part-sums.ts";
import type { Reweighting, ReweightingContext } from "../../loss/reweighting.ts";
import type { PlaceStatistic } from "../../loss/reweighting-rules.ts";
import type { CausalLanguageModel, ForwardOptions } from "../decoder/model.ts";
import { withProductsIn } from "../decoder/products.ts";
import { strategyOf } from "../device-strategy.ts";
import { logitStatistic } from "./place-statistics.ts";

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
  return scope(() => {
    const { loss, hidden, tokenLosses, tokenCorrect, isMeasured } = measuredPack(model, pack, options);
    const predictions = {
      losses: tokenLosses.to({ dtype: "float64" }).toTypedArray("float64"),
      correct: tokenCorrect.to({ dtype: "uint8" }).toTypedArray("uint8"),
    };
    const rows = Array.from({ length: pack.rowCount }, (_, row) =>
      rowSums(pack, row, predictions, isMeasured),
    );
    return { loss, hidden, rows, predictions };
  });
}

/** {@link packLoss} before anything is read: all is where the model is. */
export interface MeasuredPack extends Pick<PackLoss, "loss" | "hidden"> {
  /** Cross entropies in nats, unweighted and without smoothing, [tokens]; 0 where they were not measured. */
  readonly tokenLosses: Tensor;
  /** Whether the likeliest token is the right one, bool, [tokens]. */
  readonly tokenCorrect: Tensor;
  readonly isMeasured: (place: number) => boolean;
}

/** The loss of a pack, and what its places predict, as tensors of the caller's scope. */
export function measuredPack(
  model: CausalLanguageModel,
  pack: PackedTokens,
  options: PackLossOptions,
): MeasuredPack {
  return scope(() => withProductsIn(options.compute, model, () => measured(model, pack, options)));
}

function measured(
  model: CausalLanguageModel,
  pack: PackedTokens,
  { factors, reweighting, labelSmoothing = 0, measureAll = false, forward }: PackLossOptions,
): MeasuredPack {
  const predicted = predictedOf(model, pack, factors, forward);
  const { targets, coefficients, hidden, head, wanted, scale: weights, vouched } = predicted;
  let scale = weights;
  if (reweighting !== undefined) {
    const context = contextOf(model, pack, predicted);
    scale = noGrad(() => weights.mul(reweighting(context).to({ dtype: weights.dtype })));
  }
  const { loss, tokenLosses, tokenCorrect } = weightedCrossEntropy(hidden, head, wanted, scale, {
    ...predicted.settings,
    labelSmoothing,
    ...vouched(coefficients),
  });
  const isMeasured = (place: number): boolean => measureAll || coefficients[place]! > 0;
  const found = { loss, hidden, tokenLosses, tokenCorrect, isMeasured };
  if (!measureAll || !targets.some((target, place) => target !== IGNORE_INDEX && coefficients[place] === 0))
    return found;
  const silent = coefficients.map((coefficient) => (coefficient > 0 ? 0 : 1));
  const others = noGrad(() =>
    weightedCrossEntropy(hidden.detach(), head, wanted, predicted.on(silent), {
      ...predicted.settings,
      ...vouched(silent),
    }),
  );
  // Each has zeros where the other has numbers.
  return {
    ...found,
    tokenLosses: tokenLosses.add(others.tokenLosses),
    tokenCorrect: tokenCorrect.logicalOr(others.tokenCorrect),
  };
}

/** A pack's hidden states, and what its places predict. */
interface Predicted {
  /** As in `PackedTokens.shifted`, and as a tensor. */
  readonly targets: Int32Array;
  readonly wanted: Tensor;
  /** Weights times their factors, and as a tensor. */
  readonly coefficients: Float32Array;
  readonly scale: Tensor;
  readonly hidden: Tensor;
  readonly head: Tensor;
  readonly settings: { readonly reduction: "sum"; readonly logitSoftcap: number };
  /** Puts numbers where the model is. */
  on(values: TypedArray): Tensor;
  /** For a loss by these weights: says where it may be told that they are as they must be, which places count. */
  vouched(weights: Float32Array): WeightedCrossEntropyOptions;
}

function predictedOf(
  model: CausalLanguageModel,
  pack: PackedTokens,
  factors: LossFactors,
  forward: ForwardOptions | undefined,
): Predicted {
  const { device } = model;
  const { targets, weights } = pack.shifted();
  const coefficients = weights.map((weight, place) => weight * factors[pack.classes[place + 1] ?? 0]!);
  const on = (values: TypedArray): Tensor => upload([values], device)[0]!;
  const { hidden, head } = model.forwardToHead(pack, forward);
  const [sent, scale] = upload([targets, coefficients], device) as [Tensor, Tensor];
  const vouched = (by: Float32Array): WeightedCrossEntropyOptions => {
    if (!strategyOf(device).trustsRows) return {};
    const places = countingPlaces(targets, by);
    return { trusted: true, places: places.length === targets.length ? undefined : on(places).long() };
  };
  const settings = { reduction: "sum", logitSoftcap: model.architecture.logitSoftcap ?? 0 } as const;
  return { targets, wanted: sent.long(), coefficients, scale, hidden, head, settings, on, vouched };
}

/** Places with a target and a weight above 0. */
function countingPlaces(targets: Int32Array, weights: Float32Array): Int32Array<ArrayBuffer> {
  const places = new Int32Array(targets.length);
  let count = 0;
  for (let place = 0; place < targets.length; place++)
    if (targets[place] !== IGNORE_INDEX && weights[place]! > 0) places[count++] = place;
  return places.slice(0, count);
}

/** What a reweighting may look at. Called without recording a graph. */
function contextOf(
  model: CausalLanguageModel,
  pack: PackedTokens,
  { targets, wanted, coefficients, scale: weights, hidden, head, settings, on, vouched }: Predicted,
): ReweightingContext {
  const states = hidden.detach();
  let losses: Tensor | undefined;
  const lossesOf = (): Tensor =>
    (losses ??= weightedCrossEntropy(states, head.detach(), wanted, weights, {
      ...settings,
      ...vouched(coefficients),
    }).tokenLosses);
  return {
    pack,
    weights,
    get losses() {
      return lossesOf();
    },
    statistic: (of: PlaceStatistic) =>
      of.kind === "loss"
        ? lossesOf()
        : logitStatistic(
            of,
            (some) => model.logitsBy(head.detach(), some),
            states,
            { targets, places: [...coefficients.keys()].filter((place) => coefficients[place]! > 0) },
            model.architecture.vocabularySize,
          ),
    reference: () => {
      const reference = pack.shiftedReference();
      if (reference === undefined)
        throw new LossError("the rows carry no numbers of a reference model", {
          hint: "prepareRun adds them for rules that need them; rows of your own get them by referencedRows",
        });
      return on(reference);
    },
  };
}

/** A number of each place, [tokens], 0 where its weight is; without gradients and dropout. */
export function placeScores(
  model: CausalLanguageModel,
  pack: PackedTokens,
  score: (context: ReweightingContext) => Tensor,
  { compute, factors }: Pick<PackLossOptions, "compute" | "factors">,
): Float64Array {
  return noGrad(() =>
    scope(() =>
      withProductsIn(compute, model, () => {
        const predicted = predictedOf(model, pack, factors, undefined);
        const found = score(contextOf(model, pack, predicted));
        return found.to({ dtype: "float64" }).toTypedArray("float64");
      }),
    ),
  );
}
