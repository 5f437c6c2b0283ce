// AdamW (Loshchilov and Hutter, 2019): Adam's moments, bias-corrected, and weight decay apart from the gradient.
// State in the parameters' own dtype: float32 master weights.
import {
  adamwStep_,
  adamwSteps_,
  full,
  keep,
  noGrad,
  scope,
  type Tensor,
  zerosLike,
} from "@promptloss/torch";
import { TrainingError } from "./errors.ts";

export interface AdamWSettings {
  /** Decay of the moments' averages. */
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** λ: each step takes rate · λ of a weight. Matrices only: norms and biases are left out, as is usual. */
  readonly weightDecay: number;
}

interface Moments {
  readonly first: Tensor;
  readonly second: Tensor;
}

interface UpdatedTensor extends Moments {
  readonly name: string;
  readonly parameter: Tensor;
  readonly gradient: Tensor;
}

/** Owns its moments: free it with `using` or `free()`. */
export class AdamW {
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #moments: ReadonlyMap<string, Moments>;
  readonly #settings: AdamWSettings;
  readonly #decays: (name: string) => boolean;
  #steps = 0;

  /**
   * @param parameters what is trained, by name; float32 or float64
   * @param shapes of whole parameters, where what is trained here is a part of each
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    settings: AdamWSettings,
    shapes: (name: string) => readonly number[] = (name) => parameters.get(name)!.shape,
  ) {
    this.#parameters = parameters;
    this.#settings = settings;
    // Matrices, not norms' scales and biases.
    this.#decays = (name) => shapes(name).length > 1;
    this.#moments = noGrad(
      () =>
        new Map(
          [...parameters].map(([name, tensor]) => [
            name,
            keep({ first: zerosLike(tensor), second: zerosLike(tensor) }),
          ]),
        ),
    );
  }

  /**
   * Updates every parameter from its gradient; one without a gradient is left alone.
   * @param gradientScale what gradients are multiplied by first: {@link clippingFactor}
   */
  step(rate: number, gradientScale = 1): void {
    const { betas, epsilon, weightDecay } = this.#settings;
    const steps = ++this.#steps;
    noGrad(() => {
      for (const [name, parameter] of this.#parameters) {
        using gradient = parameter.grad;
        if (gradient === null) continue;
        const { first, second } = this.#moments.get(name)!;
        const decay = this.#decays(name) ? weightDecay : 0;
        const options = { rate, steps, betas, epsilon, weightDecay: decay, gradientScale };
        adamwStep_(parameter, first, second, gradient, options);
      }
    });
  }

  /**
   * The same by numbers that stay on the device: nothing is waited for. Serves where `hasAdamwSteps`.
   * @param gradientDivisor what gradients are divided by first, float32 of no dimensions
   * @param skip likewise, 1 to leave weights and moments as they are
   */
  stepLate(rate: number, gradientDivisor: Tensor, skip: Tensor): void {
    const { betas, epsilon, weightDecay } = this.#settings;
    const count = ++this.#steps;
    noGrad(() =>
      scope(() => {
        const steps = full([], count, { device: skip.device });
        const groups = new Map<string, UpdatedTensor[]>();
        for (const [name, parameter] of this.#parameters) {
          const gradient = parameter.grad;
          if (gradient === null) continue;
          const key = `${parameter.dtype} ${this.#decays(name)}`;
          const group = groups.get(key) ?? [];
          groups.set(key, group);
          group.push({ name, parameter, gradient, ...this.#moments.get(name)! });
        }
        for (const group of groups.values()) {
          const all = (key: Exclude<keyof UpdatedTensor, "name">): Tensor[] => group.map((one) => one[key]);
          const decay = this.#decays(group[0]!.name) ? weightDecay : 0;
          const options = { rate, steps, betas, epsilon, weightDecay: decay, gradientDivisor, skip };
          adamwSteps_(all("parameter"), all("first"), all("second"), all("gradient"), options);
        }
      }),
    );
  }

  /** The moments by name, and the steps taken: what a checkpoint holds. The tensors are the optimizer's own. */
  state(): { steps: number; tensors: Map<string, Tensor> } {
    const tensors = new Map<string, Tensor>();
    for (const [name, { first, second }] of this.#moments) {
      tensors.set(`first.${name}`, first);
      tensors.set(`second.${name}`, second);
    }
    return { steps: this.#steps, tensors };
  }

  /**
   * Copies a state in.
   * @throws {TrainingError} where it is of other parameters
   */
  restore({ steps, tensors }: { steps: number; tensors: ReadonlyMap<string, Tensor> }): void {
    const own = this.state().tensors;
    const problem = [...own].find(
      ([name, tensor]) => tensors.get(name)?.shape.join() !== tensor.shape.join(),
    );
    if (problem !== undefined || own.size !== tensors.size)
      throw new TrainingError(`the optimizer's state is of other parameters (${problem?.[0] ?? "more"})`);
    noGrad(() => {
      for (const [name, tensor] of own) tensor.copy_(tensors.get(name)!);
    });
    this.#steps = steps;
  }

  free(): void {
    for (const { first, second } of this.#moments.values()) {
      first.free();
      second.free();
    }
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
