// Gradients of tensors: accumulated in the leaves (`backward`), or handed out (`grad`).

import { ArgumentError } from "../errors.ts";
import { addon, type Handle } from "../native/addon.ts";
import { checkListLength } from "../native/list-length.ts";
import { adopt } from "../scope.ts";
import { Tensor } from "../tensor.ts";

export interface BackwardOptions {
  /** The gradient to start from, in the tensor's shape; 1 for a tensor of one element where left out. */
  gradient?: Tensor;
  /** Keep the graph for another backward. */
  retainGraph?: boolean;
  /** Record the gradients' own graph, for derivatives of higher order. */
  createGraph?: boolean;
  /** Accumulate in these tensors only. */
  inputs?: readonly Tensor[];
}

/** Adds the gradients of `input` to the `grad` of the leaves that it was computed from. */
export function backward(input: Tensor, options: BackwardOptions = {}): void {
  const { gradient, createGraph = false, retainGraph = createGraph, inputs } = options;
  // libtorch takes an empty list for none and fills every leaf.
  if (inputs?.length === 0)
    throw new ArgumentError("backward: inputs is empty; leave it out to fill all leaves", {
      argument: "inputs",
      expected: "at least one tensor",
      received: "[]",
    });
  addon.backward(
    [input.handle],
    gradient === undefined ? null : handles("gradient", [gradient]),
    retainGraph,
    createGraph,
    inputs === undefined ? null : handles("inputs", inputs),
  );
}

export interface GradOptions extends Omit<BackwardOptions, "gradient" | "inputs"> {
  /** One gradient an output to start from; 1 where left out. */
  gradients?: readonly (Tensor | null)[];
}

export interface GradUnusedOptions extends GradOptions {
  /** Give null for an input that the outputs don't depend on, instead of an error. */
  allowUnused: true;
}

/** The gradients of the outputs' sum with respect to each input; the leaves' `grad` is left alone. */
export function grad(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradUnusedOptions,
): (Tensor | null)[];
export function grad(outputs: readonly Tensor[], inputs: readonly Tensor[], options?: GradOptions): Tensor[];
export function grad(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions & { allowUnused?: boolean } = {},
): (Tensor | null)[] {
  const { gradients, createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  if (inputs.length === 0)
    throw new ArgumentError("grad: inputs is empty", {
      argument: "inputs",
      expected: "at least one tensor",
      received: "[]",
    });
  const roots = handles("outputs", outputs);
  const leaves = handles("inputs", inputs);
  const seeds = gradients === undefined ? null : handlesOrNull("gradients", gradients);
  return addon
    .gradientsOf(roots, leaves, seeds, retainGraph, createGraph, allowUnused)
    .map((handle) => (handle === null ? null : adopt(handle)));
}

function handlesOrNull(argument: string, tensors: readonly (Tensor | null)[]): (Handle | null)[] {
  if (!Array.isArray(tensors)) return handles(argument, tensors as readonly Tensor[]);
  checkListLength(tensors);
  return Array.from(tensors, (tensor) => (tensor == null ? null : handles(argument, [tensor])[0]!));
}

function handles(argument: string, tensors: readonly Tensor[]): Handle[] {
  const expected = "an array of tensors";
  if (!Array.isArray(tensors))
    throw new ArgumentError(`${argument}: expected ${expected}`, { argument, expected });
  checkListLength(tensors);
  return Array.from(tensors, (tensor) => {
    if (!(tensor instanceof Tensor))
      throw new ArgumentError(`${argument}: expected ${expected}, got a list with ${typeof tensor} in it`, {
        argument,
        expected,
      });
    return tensor.handle;
  });
}
