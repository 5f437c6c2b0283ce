// Numbers on their way to a device, and how much room it has.

import { operator } from "../dispatcher.ts";
import type { TypedArray } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { shown } from "../shown.ts";
import type { Tensor } from "../tensor.ts";
import { fromTypedArray } from "./creation.ts";

const native = operator<Tensor[]>("promptloss::upload");
const memory = operator<number[]>("promptloss::device_memory");
const reset = operator<void>("promptloss::reset_peak_memory");

/**
 * Typed arrays as tensors of one dimension on a device, all in one transfer. To CUDA they go through pinned memory by a
 * stream of their own: the device's work waits for them, the calling thread does not.
 * @throws {ArgumentError}, {OperatorError} for what is no typed array, and for a device that is not there
 */
export function upload(arrays: readonly TypedArray[], device: string): Tensor[] {
  if (!Array.isArray(arrays))
    throw new ArgumentError(`upload: expected typed arrays in an array, got ${shown(arrays)}`, {
      argument: "arrays",
      expected: "an array",
      received: typeof arrays,
    });
  const own = arrays.map((array) => fromTypedArray(array));
  if (device === "cpu") return own;
  const there = native(own, device);
  for (const tensor of own) tensor.free();
  return there;
}

/** Bytes of a device's memory. */
export interface DeviceMemory {
  /** Free for any process. */
  readonly free: number;
  readonly total: number;
  /** Held by tensors. */
  readonly allocated: number;
  /** Held by libtorch, for tensors and for later ones. */
  readonly reserved: number;
  /** The most that tensors held since the start or `resetPeakMemory`. */
  readonly peak: number;
}

/** Undefined where libtorch does not say: on the CPU, on Metal, and before libtorch 2.13. */
export function deviceMemory(device: string): DeviceMemory | undefined {
  const [free, total, allocated, reserved, peak] = memory(device) as [number, number, number, number, number];
  return total === 0 ? undefined : { free, total, allocated, reserved, peak };
}

/** Begins to measure a device's peak anew. */
export function resetPeakMemory(device: string): void {
  reset(device);
}
