// The parts of a model that are used one after the other, and who keeps their weights: for training that divides weights
// among processes, a part's are there while the part computes, and at no other time.
import type { LazyTensor, Tensor } from "@promptloss/torch";
import type { Architecture } from "../config/architecture.ts";
import type { CausalLanguageModel } from "./model.ts";

/** The embeddings; a layer, by its index; the final norm and the head. */
export type Part = "input" | number | "output";

/** In the order of a forward pass. */
export function partsOf({ layers }: Architecture): Part[] {
  return ["input", ...layers.keys(), "output"];
}

/** The part that a parameter belongs to, the model's own or an adapter's. A tied head is the embedding's. */
export function partOfParameter({ names }: Architecture, name: string): Part {
  if (name.startsWith(`${names.layers}.`))
    return Number(name.slice(names.layers.length + 1).split(".", 1)[0]);
  const inputs = [names.embedding, names.positions, names.projectIn];
  return inputs.some((module) => module !== undefined && name.startsWith(`${module}.`)) ? "input" : "output";
}

/** Keeps a model's weights elsewhere while they are not used. */
export interface PartKeeper {
  /**
   * Before a part computes: its weights are there when this returns.
   * @returns the part's input, to go on with in place of the given one
   */
  enter<Input extends Tensor | undefined>(part: Part, input: Input): Input;
  /** After that. @returns the part's output, to go on with */
  leave(part: Part, output: Tensor): Tensor;
  /** The weights of a parameter's part are there until this is called for another part, or the next forward pass. */
  hold(name: string): void;
  /** Frozen copies of all parameters with a keeper of their own; undefined where the weights are always there. */
  copy(): { readonly parameters: ReadonlyMap<string, Tensor>; readonly keeper: PartKeeper } | undefined;
  /** Gives the weights of all parts back. */
  release(): void;
  free(): void;
}

/** Where each parameter comes to as a model is made: gives the model's leaf, or undefined for the tensor that is given. */
export type PlaceParameter = (name: string, tensor: Tensor) => Tensor | undefined;

/** A parameter for a file: of a model with a keeper it is there when it is written, and no sooner. */
export function parameterToWrite(model: CausalLanguageModel, name: string): LazyTensor {
  const blocks = model.blocks.get(name);
  if (blocks !== undefined)
    return { dtype: "float32", shape: blocks.shape, read: () => blocks.expand("float32") };
  const { dtype, shape } = model.adapter?.parameters.get(name) ?? model.parameter(name);
  const read = (): Tensor => {
    const held = heldParameter(model, name).detach();
    // Files are written from memory that is fixed from then on, and the keeper wants its own back.
    return model.keeper === undefined ? held : held.clone();
  };
  return { dtype, shape, read };
}

/** As {@link PartKeeper.hold}, for models without one too. Of a weight in blocks, what it expands to. */
export function heldParameter(model: CausalLanguageModel, name: string): Tensor {
  model.keeper?.hold(name);
  return (
    model.adapter?.parameters.get(name) ?? model.blocks.get(name)?.expand("float32") ?? model.parameter(name)
  );
}
