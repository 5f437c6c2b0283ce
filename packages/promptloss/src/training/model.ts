// The model of a run: loaded or drawn, with its adapter, and with what is frozen frozen.
import type { DType, Tensor } from "@promptloss/torch";
import type { ModelConfig } from "../models/config/model-config.ts";
import { parameterShapes } from "../models/config/parameters.ts";
import { withPromptObjective } from "../models/config/prompt-objective.ts";
import type { PlaceParameter } from "../models/decoder/parts.ts";
import { frozenNames } from "../models/freeze.ts";
import {
  type CausalLanguageModel,
  createAdapter,
  createModel,
  freezeParameters,
  loadModel,
  readModelConfig,
} from "../models/index.ts";
import { adapterShapes } from "../models/lora/shapes.ts";
import { adapterOf, type Recipe } from "../recipe/index.ts";
import { TrainingError } from "./errors.ts";
import { computeDtype } from "./precision.ts";
import type { Ranks } from "./ranks/index.ts";
import { type ShardedParameter, Shards } from "./sharding/index.ts";

export interface PreparedModel {
  readonly model: CausalLanguageModel;
  /** Undefined where each process has all. */
  readonly shards: Shards | undefined;
}

/** @param ranks the processes that train it; one where left out */
export function prepareModel(recipe: Recipe, folder: string, device: string, ranks?: Ranks): PreparedModel {
  const { training, initialize, seed, strict } = recipe;
  const adapter = adapterOf(recipe);
  const { sharding, precision } = training;
  const { promptObjective = "none" } = recipe.loss;
  if (adapter !== undefined && promptObjective === "reconstruct")
    throw new TrainingError(
      "loss.promptObjective: reconstruct changes what the decoder reads, which an adapter's folder does not say",
      { hint: "train the whole model, or take none or denoise" },
    );
  // Master weights in float32, products in bf16 where asked; frozen weights need no more precision than products have.
  const dtype = (adapter && computeDtype(precision, device)) ?? "float32";
  const divided: { shards?: Shards } = {};
  const place = (name: string, tensor: Tensor) => divided.shards?.place(name, tensor);
  const placeIn = (config: ModelConfig) => {
    const { architecture } = config;
    if (architecture.encoder !== undefined && sharding !== "none")
      throw new TrainingError(`training.sharding: ${folder} has an encoder, whose parts are not divided`, {
        hint: "set it to none: each process has the whole model then",
      });
    if (ranks !== undefined && sharding !== "none") {
      const parameters = shardedParameters(config, recipe, dtype);
      divided.shards = new Shards({ ranks, mode: sharding, architecture, parameters, device });
    }
    return place;
  };
  const model =
    initialize === "random"
      ? randomModel(
          withPromptObjective(readModelConfig(folder, { strict }), promptObjective),
          seed,
          device,
          placeIn,
        )
      : loadModel(folder, {
          ...{
            promptObjective,
            dtype,
            device,
            trainable: adapter === undefined,
            strict,
            storage: adapter?.base,
          },
          ...(adapter?.base === undefined && { place: placeIn }),
        });
  if (adapter === undefined) freezeParameters(model, training.freeze ?? []);
  else {
    const weightOf = (module: string): Tensor => model.linearWeight(module);
    model.adapter = createAdapter(model.architecture, adapter, { device, seed, place, weightOf });
  }
  const { shards } = divided;
  if (shards !== undefined && shards.mode !== "optimizer") model.keeper = shards;
  return { model, shards };
}

function randomModel(
  config: ModelConfig,
  seed: number,
  device: string,
  placeIn: (config: ModelConfig) => PlaceParameter,
): CausalLanguageModel {
  return createModel(config, { seed, device, place: placeIn(config) });
}

/** All parameters of a run with whether they are trained, before there is a model. */
export function shardedParameters(
  { architecture }: ModelConfig,
  recipe: Pick<Recipe, "adapter" | "lora" | "training">,
  dtype: DType,
): Map<string, ShardedParameter> {
  const shapes = parameterShapes(architecture);
  const adapter = adapterOf(recipe);
  const frozen = adapter ? new Set(shapes.keys()) : frozenNames(shapes.keys(), recipe.training.freeze ?? []);
  const own = [...shapes].map(
    ([name, shape]) => [name, { shape, dtype, isTrained: !frozen.has(name) }] as const,
  );
  const added = adapter === undefined ? [] : [...adapterShapes(architecture, adapter)];
  return new Map([
    ...own,
    ...added.map(([name, shape]) => [name, { shape, dtype: "float32" as DType, isTrained: true }] as const),
  ]);
}
