// Differentiable functions written in TypeScript.

import { ArgumentError } from "../errors.ts";
import { addon } from "../native/addon.ts";
import { adopt, Scope } from "../scope.ts";
import { Tensor } from "../tensor.ts";

/** What a forward leaves for its backward. */
export interface FunctionContext {
  /** Keeps tensors (inputs or outputs above all) for the backward, without a cycle through the graph. */
  saveForBackward(...tensors: Tensor[]): void;
}

export interface CustomFunctionDefinition<
  Inputs extends readonly Tensor[],
  Output extends Tensor | readonly Tensor[],
> {
  /** Named in errors. */
  readonly name: string;
  /** Runs without recording a graph. */
  forward(context: FunctionContext, ...inputs: Inputs): Output;
  /**
   * One gradient an output in (null for an output that nothing used), one gradient an input out (null for none).
   * Operators in it are recorded where a derivative of higher order is asked for.
   */
  backward(saved: Tensor[], ...gradients: (Tensor | null)[]): readonly (Tensor | null)[];
}

/**
 * Makes a differentiable function: `const cube = customFunction({ name: "cube", forward, backward })`.
 * Errors thrown in either come out of the call, or of `backward()`, as they are.
 */
export function customFunction<Inputs extends readonly Tensor[], Output extends Tensor | readonly Tensor[]>(
  definition: CustomFunctionDefinition<Inputs, Output>,
): (...inputs: Inputs) => Output {
  const { name } = definition;
  return (...inputs) => {
    let single = false;
    const outputs = addon.applyFunction(
      inputs.map((input) => input.handle),
      (handles) =>
        inScope(() => {
          const saved: Tensor[] = [];
          const context = { saveForBackward: (...tensors: Tensor[]) => void saved.push(...tensors) };
          const output = definition.forward(context, ...(handles.map(adopt) as unknown as Inputs));
          if (!saved.every((each) => each instanceof Tensor))
            throw new ArgumentError(`${name}: saveForBackward takes tensors only`);
          single = output instanceof Tensor;
          const list: readonly Tensor[] = output instanceof Tensor ? [output] : output;
          if (!Array.isArray(list) || list.length === 0 || !list.every((each) => each instanceof Tensor))
            throw new ArgumentError(`${name}: forward must return a tensor or an array of tensors`);
          return { outputs: list.map((each) => each.handle), saved: saved.map((each) => each.handle) };
        }),
      (gradients, saved) =>
        inScope(() => {
          const seeds = gradients.map((gradient) => (gradient === null ? null : adopt(gradient)));
          const result = definition.backward(saved.map(adopt), ...seeds);
          if (!Array.isArray(result) || result.length !== inputs.length)
            throw new ArgumentError(`${name}: backward must return ${inputs.length} gradients, one an input`);
          const wrong = result.findIndex((each) => (each ?? null) !== null && !(each instanceof Tensor));
          if (wrong >= 0)
            throw new ArgumentError(`${name}: backward's gradient ${wrong} is neither a tensor nor null`);
          return (result as (Tensor | null)[]).map((gradient) => gradient?.handle ?? null);
        }),
      finish,
    );
    const tensors = outputs.map(adopt);
    return (single ? tensors[0] : tensors) as unknown as Output;
  };
}

/**
 * Runs a callback in a scope that stays open until the addon has taken its references to the tensors whose handles
 * it was given; then it calls `finish`.
 */
function inScope<T>(body: () => T): T {
  const inner = new Scope();
  pending.push(inner);
  try {
    return body();
  } catch (error) {
    finish();
    throw error;
  }
}

const pending: Scope[] = [];

function finish(): void {
  pending.pop()?.close();
}
