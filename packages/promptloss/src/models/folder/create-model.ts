// A model with random weights, for training from scratch: drawn as transformers draws them.
import { type DType, empty, keep, manualSeed, noGrad, scope, type Tensor } from "@promptloss/torch";
import type { ModelConfig } from "../config/model-config.ts";
import { CausalLanguageModel } from "../decoder/model.ts";
import { parameterShapes, type Shape } from "../decoder/parameters.ts";

export interface CreateModelOptions {
  readonly seed: number;
  /** float32 where left out. */
  readonly dtype?: DType;
  readonly device?: string;
  /** Compute gradients for the weights; true where left out. */
  readonly trainable?: boolean;
}

/** Matrices normal around 0 with the config's `initializer_range` (0.02 where it has none), norms 1, biases 0. */
export const createModel = (config: ModelConfig, options: CreateModelOptions): CausalLanguageModel => {
  const { seed, dtype = "float32", device = "cpu", trainable = true } = options;
  const { initializer_range: range } = config.json;
  const spread = typeof range === "number" ? range : 0.02;
  manualSeed(seed);
  const draw = (name: string, shape: Shape): Tensor =>
    noGrad(() =>
      scope(() => {
        const tensor = keep(empty(shape, { dtype, device }));
        if (shape.length > 1) tensor.normal_(0, spread);
        else tensor.fill_(name.endsWith(".bias") ? 0 : 1 - config.architecture.norm.weightOffset);
        tensor.requiresGrad = trainable;
        return tensor;
      }),
    );
  const shapes = parameterShapes(config.architecture);
  return new CausalLanguageModel(
    config,
    new Map([...shapes].map(([name, shape]) => [name, draw(name, shape)])),
  );
};
