// AdamW (Loshchilov and Hutter, 2019): Adam's moments, bias-corrected, and weight decay apart from the gradient. The
// same order of operations as torch.optim.AdamW. State in the parameters' own dtype: float32 master weights.
import { keep, noGrad, scope, type Tensor, zerosLike } from "@promptloss/torch";
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

/** Owns its moments: free it with `using` or `free()`. */
export class AdamW {
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #moments: ReadonlyMap<string, Moments>;
  readonly #settings: AdamWSettings;
  #steps = 0;

  /** @param parameters what is trained, by name; float32 or float64 */
  constructor(parameters: ReadonlyMap<string, Tensor>, settings: AdamWSettings) {
    this.#parameters = parameters;
    this.#settings = settings;
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

  /** Updates every parameter from its gradient; one without a gradient is left alone. */
  step(rate: number): void {
    this.#steps++;
    const [beta1, beta2] = this.#settings.betas;
    const firstBias = 1 - beta1 ** this.#steps;
    const secondBias = Math.sqrt(1 - beta2 ** this.#steps);
    noGrad(() => {
      for (const [name, parameter] of this.#parameters)
        scope(() => {
          const gradient = parameter.grad;
          if (gradient === null) return;
          const { first, second } = this.#moments.get(name)!;
          const decay = decays(parameter) ? this.#settings.weightDecay : 0;
          if (decay > 0) parameter.mul_(1 - rate * decay);
          first.lerp_(gradient, 1 - beta1);
          second.mul_(beta2).addcmul_(gradient, gradient, { value: 1 - beta2 });
          const spread = second.sqrt().div_(secondBias).add_(this.#settings.epsilon);
          parameter.addcdiv_(first, spread, { value: -rate / firstBias });
        });
    });
  }

  /** The moments by name, and the steps taken: what a checkpoint holds. The tensors are the optimiser's own. */
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
   * @throws TrainingError where it is of other parameters
   */
  restore({ steps, tensors }: { steps: number; tensors: ReadonlyMap<string, Tensor> }): void {
    const own = this.state().tensors;
    const problem = [...own].find(
      ([name, tensor]) => tensors.get(name)?.shape.join() !== tensor.shape.join(),
    );
    if (problem !== undefined || own.size !== tensors.size)
      throw new TrainingError(`the optimiser's state is of other parameters (${problem?.[0] ?? "more"})`);
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

/** Whether weight decay applies: to matrices, not to norms' scales and biases. */
const decays = (parameter: Tensor): boolean => parameter.shape.length > 1;
