// Which parameters are trained: all but those that patterns freeze.
import picomatch from "picomatch";
import type { CausalLanguageModel } from "./decoder/model.ts";
import { ModelError } from "./errors.ts";

/**
 * The names that patterns freeze. A pattern is a name with * for any part of one: "model.layers.0.*".
 * @throws {ModelError} for a pattern that fits no parameter, and where nothing is left to train
 */
export function frozenNames(names: Iterable<string>, patterns: readonly string[]): ReadonlySet<string> {
  const all = [...names];
  const frozen = new Set<string>();
  for (const pattern of patterns) {
    // Names have no slashes, so that * crosses their dots.
    const fits = picomatch(pattern, { bash: true });
    const chosen = all.filter((name) => fits(name));
    if (chosen.length === 0)
      throw new ModelError(`freeze: ${pattern} fits no parameter`, {
        hint: `names are like ${all.slice(0, 3).join(", ")}`,
      });
    for (const name of chosen) frozen.add(name);
  }
  if (frozen.size === all.length) throw new ModelError("freeze: no parameter is left to train");
  return frozen;
}

/**
 * Takes parameters out of training.
 * @throws {ModelError} as {@link frozenNames} does
 */
export function freezeParameters(model: CausalLanguageModel, patterns: readonly string[]): void {
  for (const name of frozenNames(model.parameters.keys(), patterns))
    model.parameters.get(name)!.requiresGrad = false;
}
