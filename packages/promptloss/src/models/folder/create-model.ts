// A model with random weights, for training from scratch: drawn as transformers draws them.
import { type DType, empty, keep, manualSeed, noGrad, scope, type Tensor } from "@promptloss/torch";
import { initializationOf } from "../config/families/family.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { parameterShapes, type Shape } from "../config/parameters.ts";
import { CausalLanguageModel } from "../decoder/model.ts";
import type { PlaceParameter } from "../decoder/parts.ts";

export interface CreateModelOptions {
  readonly seed: number;
  /** float32 where left out. */
  readonly dtype?: DType;
  readonly device?: string;
  /** Compute gradients for the weights; true where left out. */
  readonly trainable?: boolean;
  /** Where each parameter comes to, for a model that is not to be in memory whole. */
  readonly place?: PlaceParameter | undefined;
}

/**
 * Matrices normal around 0 with the config's standard deviation (0.02 where it names none), norms 1, biases 0, the
 * embedding of padding 0; GPT-2's matrices that write to the residual stream narrower. The spreads are held to
 * transformers' by goldens/transformers-rules.json.
 */
export function createModel(config: ModelConfig, options: CreateModelOptions): CausalLanguageModel {
  const { trainable = true, place } = options;
  const parameters = new Map<string, Tensor>();
  for (const [name, drawn] of drawnParameters(config, options)) {
    const placed = place?.(name, drawn);
    if (placed === undefined) drawn.requiresGrad = trainable;
    else drawn.free();
    parameters.set(name, placed ?? drawn);
  }
  return new CausalLanguageModel(config, parameters);
}

/** The parameters of such a model, one after the other as they are asked for. Each is the caller's. */
export function* drawnParameters(
  config: ModelConfig,
  { seed, dtype = "float32", device = "cpu" }: Pick<CreateModelOptions, "seed" | "dtype" | "device">,
): Generator<[name: string, tensor: Tensor]> {
  const { architecture } = config;
  const padding = paddingRow(config);
  manualSeed(seed);
  const draw = (name: string, shape: Shape): Tensor =>
    noGrad(() =>
      scope(() => {
        const tensor = keep(empty(shape, { dtype, device }));
        if (shape.length > 1) tensor.normal_(0, spreadOf(name, config));
        else tensor.fill_(name.endsWith(".bias") ? 0 : 1 - architecture.norm.weightOffset);
        if (padding !== undefined && name === `${architecture.names.embedding}.weight`)
          tensor.narrow(0, padding, 1).zero_();
        return tensor;
      }),
    );
  for (const [name, shape] of parameterShapes(architecture)) yield [name, draw(name, shape)];
}

/** The standard deviation of a matrix' elements. */
function spreadOf(name: string, config: ModelConfig): number {
  const { range, narrowResiduals, spread: own } = initializationOf(config.family);
  const { [range]: given } = config.json;
  if (own !== undefined) return own(name, config.architecture, typeof given === "number" ? given : undefined);
  const spread = typeof given === "number" ? given : 0.02;
  const { layers, names } = config.architecture;
  const writes = [names.attentionOutput, names.mlpOutput].some((part) => name.endsWith(`.${part}.weight`));
  return narrowResiduals && writes ? spread / Math.sqrt(2 * layers.length) : spread;
}

/** The embedding's row that begins at 0; undefined for families, and configs, that name no padding. */
function paddingRow(config: ModelConfig): number | undefined {
  const { padding } = initializationOf(config.family);
  if (padding === undefined) return undefined;
  const { [padding.key]: given = padding.fallback } = config.json;
  const { vocabularySize } = config.architecture;
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) < vocabularySize
    ? (given as number)
    : undefined;
}
