// A penalty on the distance to the starting weights: coefficient · (Σ |w − w₀|^p)^(1/p) over all trained weights.
// Its gradient is written down rather than recorded, so that no second graph over all weights exists.
import { keep, noGrad, scope, type Tensor } from "@promptloss/torch";
import { TrainingError } from "../errors.ts";

export interface MinkowskiSettings {
  /** p: 1 or more; Infinity is the largest difference. */
  readonly order: number;
  readonly coefficient: number;
}

/** Holds a copy of the starting weights: free it with `using` or `free()`. */
export class MinkowskiPenalty {
  readonly #settings: MinkowskiSettings;
  readonly #overRanks: OverRanks;
  readonly #pairs: readonly { readonly weight: Tensor; readonly start: Tensor }[];

  /**
   * Call it before the first step.
   * @param overRanks where processes have a part of the weights each
   * @throws {TrainingError} for an order below 1 and a negative coefficient
   */
  constructor(weights: Iterable<Tensor>, settings: MinkowskiSettings, overRanks: OverRanks = alone) {
    const { order, coefficient } = settings;
    if (!(order >= 1)) throw new TrainingError(`training.minkowski.order: ${order} is not 1 or more`);
    if (!(coefficient >= 0 && Number.isFinite(coefficient)))
      throw new TrainingError(`training.minkowski.coefficient: ${coefficient} is not a number of 0 or more`);
    this.#settings = settings;
    this.#overRanks = overRanks;
    this.#pairs = [...weights].map((weight) => ({
      weight,
      start: noGrad(() => keep(weight.detach().clone())),
    }));
  }

  /** Adds the penalty's gradient to the weights' own, and gives the penalty. 0 where nothing has moved yet. */
  addGradients(): number {
    const { order, coefficient } = this.#settings;
    const distance = minkowskiDistance(this.#pairs, order, this.#overRanks);
    if (distance === 0 || coefficient === 0) return 0;
    noGrad(() => {
      for (const { weight, start } of this.#pairs)
        scope(() => {
          const gradient = distanceGradient(weight.sub(start), order, distance).mul_(coefficient);
          if (weight.grad === null) weight.grad = gradient;
          else weight.grad.add_(gradient);
        });
    });
    return coefficient * distance;
  }

  free(): void {
    for (const { start } of this.#pairs) start.free();
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

/** A process's number → the sum, or the greatest, of all processes'. */
export type OverRanks = (own: number, reduction: "sum" | "max") => number;

const alone: OverRanks = (own) => own;

/** (Σ |w − w₀|^p)^(1/p) over pairs of tensors, in float64. */
export function minkowskiDistance(
  pairs: Iterable<{ readonly weight: Tensor; readonly start: Tensor }>,
  order: number,
  overRanks: OverRanks = alone,
): number {
  let total = 0;
  noGrad(() => {
    for (const { weight, start } of pairs)
      scope(() => {
        const difference = weight.double().sub(start.double()).abs();
        if (order === Number.POSITIVE_INFINITY) total = Math.max(total, difference.amax().item());
        else total += difference.pow(order).sum().item();
      });
  });
  return order === Number.POSITIVE_INFINITY
    ? overRanks(total, "max")
    : overRanks(total, "sum") ** (1 / order);
}

/** ∂‖d‖_p/∂d = sign(d) · (|d| / ‖d‖_p)^(p−1); for p = ∞ the sign where |d| is largest. */
function distanceGradient(difference: Tensor, order: number, distance: number): Tensor {
  const sign = difference.sign();
  if (order === 1) return sign;
  const relative = difference.abs().div(distance);
  return order === Number.POSITIVE_INFINITY
    ? sign.mul(relative.ge(1).to({ dtype: sign.dtype }))
    : sign.mul(relative.pow(order - 1));
}
