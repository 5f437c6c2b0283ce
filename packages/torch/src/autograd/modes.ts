// What the operators inside a function do besides computing: record a graph or not, compute in bf16 or not.

import type { DType } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { addon } from "../native/addon.ts";
import { refuseAsync } from "../scope.ts";
import { shown } from "../shown.ts";

function during<T>(what: string, body: () => T, restore: () => void): T {
  try {
    const result = body();
    refuseAsync(what, result, "the mode ends when the function returns, before what it awaits");
    return result;
  } finally {
    restore();
  }
}

function withGradMode<T>(what: string, enabled: boolean, body: () => T): T {
  const previous = addon.setGradEnabled(enabled);
  return during(what, body, () => addon.setGradEnabled(previous));
}

/** Runs `body` without recording a graph. */
export function noGrad<T>(body: () => T): T {
  return withGradMode("noGrad", false, body);
}

/** Runs `body` recording a graph, inside noGrad too. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode("enableGrad", true, body);
}

export function isGradEnabled(): boolean {
  return addon.gradEnabled();
}

export interface AutocastOptions {
  /** bfloat16 where left out. */
  dtype?: DType;
  /** "cpu" where left out. */
  device?: string;
  /** False turns autocast off inside an autocast. */
  enabled?: boolean;
}

/**
 * Runs `body` with matrix products and the like in a half-precision dtype, the rest in the inputs' own.
 * @throws {ArgumentError} for a dtype that is neither bfloat16 nor float16
 */
export function autocast<T>(options: AutocastOptions, body: () => T): T {
  const { dtype = "bfloat16", device = "cpu", enabled = true } = options;
  if (dtype !== "bfloat16" && dtype !== "float16")
    throw new ArgumentError(`autocast: the dtype must be bfloat16 or float16, got ${shown(dtype)}`, {
      argument: "dtype",
      expected: "bfloat16 or float16",
      received: shown(dtype),
    });
  const previous = addon.enterAutocast(device, enabled ? dtype : null);
  return during("autocast", body, () => addon.exitAutocast(device, previous));
}
