// Gradients of tensors: accumulated in the leaves (`backward`), or handed out (`grad`).

import { ArgumentError } from "../errors.ts";
import { addon, type Handle } from "../native/addon.ts";
import { adopt } from "../scope.ts";
import type { Tensor } from "../tensor.ts";

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
    gradient === undefined ? null : [gradient.handle],
    retainGraph,
    createGraph,
    inputs === undefined ? null : handles(inputs),
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
  const seeds = gradients === undefined ? null : gradients.map((seed) => seed?.handle ?? null);
  return addon
    .gradientsOf(handles(outputs), handles(inputs), seeds, retainGraph, createGraph, allowUnused)
    .map((handle) => (handle === null ? null : adopt(handle)));
}

function handles(tensors: readonly Tensor[]): Handle[] {
  return tensors.map((tensor) => tensor.handle);
}
