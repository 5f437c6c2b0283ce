// A penalty on leaving the starting model's predictions: coefficient · mean KL(start ‖ model) over the tokens that are
// trained on. Logits of both models exist for a few tokens at a time only.
import { type DType, keep, logSoftmax, noGrad, scope, type Tensor, upload, zeros } from "@promptloss/torch";
import type { PackedTokens } from "../../data/packing/index.ts";
import { CausalLanguageModel } from "../../models/decoder/model.ts";
import { withProductsIn } from "../../models/decoder/products.ts";
import { summingDtype } from "../../models/loss/part-totals.ts";
import { TrainingError } from "../errors.ts";

/** Tokens whose logits exist at one time. */
const CHUNK = 128;

/** Holds the starting model's weights: free it with `using` or `free()`. */
export class KlPenalty {
  readonly #coefficient: number;
  readonly #start: CausalLanguageModel | undefined;

  /**
   * Call it before the first step. With an adapter the starting model is the model without it, and needs no copy.
   * @throws {TrainingError} for a negative coefficient
   */
  constructor(model: CausalLanguageModel, { coefficient }: { readonly coefficient: number }) {
    if (!(coefficient >= 0 && Number.isFinite(coefficient)))
      throw new TrainingError(`training.kl.coefficient: ${coefficient} is not a number of 0 or more`);
    this.#coefficient = coefficient;
    this.#start = model.adapter === undefined ? copyOf(model) : undefined;
  }

  /**
   * The penalty's part of a pack, to add to its loss. The gradients by the head are added at once; those by the
   * hidden states flow when what this returns is differentiated.
   * @param hidden the model's hidden states of the pack, [tokens, width]
   * @param batch the whole batch, over whose trained tokens the mean is
   * @param compute the dtype of matrix products; that of the weights where undefined
   */
  of(
    model: CausalLanguageModel,
    pack: PackedTokens,
    hidden: Tensor,
    batch: { readonly trainedCount: number },
    compute?: DType,
  ): Tensor {
    const places = [...pack.shifted().weights].flatMap((weight, place) => (weight > 0 ? [place] : []));
    const scale = this.#coefficient / batch.trainedCount;
    return scope(() => {
      const reference = noGrad(() => withProductsIn(compute, model, () => this.#hiddenOfStart(model, pack)));
      const leaf = hidden.detach();
      leaf.requiresGrad = true;
      const dtype = summingDtype(hidden.device);
      // Added up where the model is: nothing is read.
      const value = zeros([], { dtype, device: hidden.device });
      for (let from = 0; from < places.length; from += CHUNK)
        scope(() => {
          const { device } = hidden;
          const at = upload([Int32Array.from(places.slice(from, from + CHUNK))], device)[0]!.long();
          const logProbabilities = (scorer: CausalLanguageModel, states: Tensor): Tensor =>
            logSoftmax(
              withProductsIn(compute, model, () => scorer.logits(states.indexSelect(0, at))).float(),
              -1,
            );
          const target = noGrad(() => logProbabilities(this.#start ?? model, reference));
          const predicted = logProbabilities(model, leaf);
          const divergence = target.exp().mul(target.sub(predicted)).sum().mul(scale);
          divergence.backward();
          noGrad(() => value.add_(divergence.detach().to({ dtype })));
        });
      this.#start?.keeper?.release();
      const gradient = leaf.grad ?? leaf.detach().mul(0);
      // Its derivative by the hidden states is the gradient, its value that of the penalty.
      const linear = hidden.mul(gradient).sum();
      return linear.sub(linear.detach()).add(value.to({ dtype: linear.dtype }));
    });
  }

  free(): void {
    this.#start?.free();
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #hiddenOfStart(model: CausalLanguageModel, pack: PackedTokens): Tensor {
    return this.#start === undefined
      ? withoutAdapter(model, () => model.forward(pack))
      : this.#start.forward(pack);
  }
}

function copyOf(model: CausalLanguageModel): CausalLanguageModel {
  const kept = model.keeper?.copy();
  const parameters =
    kept?.parameters ??
    noGrad(
      () => new Map([...model.parameters].map(([name, tensor]) => [name, keep(tensor.detach().clone())])),
    );
  const copy = new CausalLanguageModel(model.config, parameters);
  copy.keeper = kept?.keeper;
  return copy;
}

function withoutAdapter<T>(model: CausalLanguageModel, body: () => T): T {
  const { adapter } = model;
  model.adapter = undefined;
  try {
    return body();
  } finally {
    model.adapter = adapter;
  }
}
