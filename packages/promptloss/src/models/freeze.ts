// Which parameters are trained: all but those that patterns freeze.
import picomatch from "picomatch";
import type { CausalLanguageModel } from "./decoder/model.ts";
import { ModelError } from "./errors.ts";

/**
 * Takes parameters out of training. A pattern is a name with * for any part of one: "model.layers.0.*".
 * @throws {ModelError} for a pattern that fits no parameter, and where nothing is left to train
 */
export const freezeParameters = (model: CausalLanguageModel, patterns: readonly string[]): void => {
  for (const pattern of patterns) {
    // Names have no slashes, so that * crosses their dots.
    const fits = picomatch(pattern, { bash: true });
    const chosen = [...model.parameters].filter(([name]) => fits(name));
    if (chosen.length === 0)
      throw new ModelError(`freeze: ${pattern} fits no parameter`, {
        hint: `names are like ${[...model.parameters.keys()].slice(0, 3).join(", ")}`,
      });
    for (const [, tensor] of chosen) tensor.requiresGrad = false;
  }
  if (model.trainable.size === 0) throw new ModelError("freeze: no parameter is left to train");
};
