// Checks gradients against central differences. For tests: slow, and in float64 only.

import { ArgumentError, TorchError } from "../errors.ts";
import { mul } from "../functions/arithmetic.ts";
import { detach } from "../functions/conversion.ts";
import { tensor } from "../functions/creation.ts";
import { randn } from "../functions/random.ts";
import { sum } from "../functions/reduction.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { grad } from "./backward.ts";

export interface GradcheckOptions {
  /** Half the distance of the two points of a difference. */
  eps?: number;
  /** Largest |analytic − numeric| allowed beside rtol · |numeric|. Central differences err by about eps². */
  atol?: number;
  rtol?: number;
}

/** A gradient that differs from its finite difference. */
export class GradcheckError extends TorchError {
  /** Which input, and which of its elements in row-major order. */
  readonly input: number;
  readonly element: number;
  readonly analytic: number;
  readonly numeric: number;

  constructor(at: { input: number; element: number; analytic: number; numeric: number }) {
    super(
      `gradcheck: input ${at.input}, element ${at.element}: the gradient is ${at.analytic}, the difference ${at.numeric}`,
    );
    this.input = at.input;
    this.element = at.element;
    this.analytic = at.analytic;
    this.numeric = at.numeric;
  }
}

/**
 * Compares the gradients of `f` (of any output shape, projected on a random direction) with central differences,
 * at every element of every input that requires gradients.
 * @throws {GradcheckError} at the first that differs
 * @throws {ArgumentError} for inputs that are not float64, and where none requires gradients
 */
export function gradcheck(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { eps = 1e-6, atol = 1e-5, rtol = 1e-3 }: GradcheckOptions = {},
): void {
  const checked = inputs.filter((input) => input.requiresGrad);
  if (checked.length === 0)
    throw new ArgumentError("gradcheck: no input requires gradients", { argument: "inputs" });
  for (const input of checked)
    if (input.dtype !== "float64")
      throw new ArgumentError(`gradcheck: inputs must be float64, got ${input.dtype}`, {
        argument: "inputs",
      });
  scope(() => {
    const output = f(...inputs);
    const direction = randn(output.shape, { dtype: "float64", device: output.device });
    const analytic = grad([output], checked, { gradients: [direction], allowUnused: true });
    checked.forEach((input, i) => {
      const values = analytic[i] === null ? undefined : (analytic[i] as Tensor).toTypedArray("float64");
      const base = detach(input).toTypedArray("float64");
      const project = (element: number, step: number): number =>
        scope(() => {
          const moved = Float64Array.from(base);
          moved[element] = (moved[element] as number) + step;
          const shifted = tensor(moved, { device: input.device }).reshape(input.shape);
          // `f` may itself ask for gradients, when derivatives of higher order are checked.
          shifted.requiresGrad = true;
          const at = inputs.map((each) => (each === input ? shifted : each));
          return sum(mul(f(...at), direction)).item();
        });
      for (let element = 0; element < base.length; element++) {
        const numeric = (project(element, eps) - project(element, -eps)) / (2 * eps);
        const value = values?.[element] ?? 0;
        if (!(Math.abs(value - numeric) <= atol + rtol * Math.abs(numeric)))
          throw new GradcheckError({ input: inputs.indexOf(input), element, analytic: value, numeric });
      }
    });
  });
}
