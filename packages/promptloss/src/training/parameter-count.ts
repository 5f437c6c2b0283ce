// How many parameters a run has and trains, from the model's config alone. Pure, so that a plan may ask without a model;
// a run counts its tensors, and tests hold the two together.
import type { Architecture } from "../models/config/architecture.ts";
import { elementsOf, parameterShapes } from "../models/config/parameters.ts";
import { frozenNames } from "../models/freeze.ts";
import { adapterShapes } from "../models/lora/shapes.ts";
import { adapterOf, type Recipe } from "../recipe/index.ts";

export interface ParameterCount {
  /** Of the model, without an adapter. */
  readonly model: number;
  /** Of the adapter; 0 without one. */
  readonly adapter: number;
  readonly trainable: number;
}

/** @throws {ModelError} for targets that fit no module, and patterns that fit no parameter */
export function countParameters(
  architecture: Architecture,
  recipe: Pick<Recipe, "adapter" | "lora" | "training">,
): ParameterCount {
  const shapes = parameterShapes(architecture);
  const model = elementsOf(shapes.values());
  const options = adapterOf(recipe);
  if (options !== undefined) {
    const adapter = elementsOf(adapterShapes(architecture, options).values());
    return { model, adapter, trainable: adapter };
  }
  const frozen = frozenNames(shapes.keys(), recipe.training.freeze ?? []);
  const trained = [...shapes].flatMap(([name, shape]) => (frozen.has(name) ? [] : [shape]));
  return { model, adapter: 0, trainable: elementsOf(trained) };
}
