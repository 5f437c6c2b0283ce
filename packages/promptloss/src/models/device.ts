// Devices by name, checked before libtorch is asked for one that is not there.
import { availableDevices } from "@promptloss/torch";
import { ModelError } from "./errors.ts";

export const DEVICE_HINT = "promptloss doctor says what this machine has";

/** Why a device can't be used, in words; undefined where it can. "cuda" stands for the first of them. */
export function missingDevice(wanted: string): string | undefined {
  const devices = availableDevices();
  const isThere = devices.includes(wanted === "cuda" ? "cuda:0" : wanted) || wanted.startsWith("meta");
  return isThere ? undefined : `there is no ${wanted} here; there is ${devices.join(", ")}`;
}

/** @throws {ModelError} for a device that is not there */
export function checkDevice(wanted: string): void {
  const missing = missingDevice(wanted);
  if (missing !== undefined) throw new ModelError(`device: ${missing}`, { hint: DEVICE_HINT });
}
