// The device that a run computes on.
import { availableDevices } from "@promptloss/torch";
import { DEVICE_HINT, missingDevice } from "../models/device.ts";
import { TrainingError } from "./errors.ts";

const ALONE = { localRank: 0, localSize: 1 };

/**
 * A recipe's `training.device` as a device that is here: of several processes on a machine each takes a GPU of its own.
 * @throws {TrainingError} where there is none such, or where the processes would share one
 */
export function deviceOf(
  wanted: string,
  { localRank, localSize }: { readonly localRank: number; readonly localSize: number } = ALONE,
): string {
  const chosen =
    wanted === "auto" ? (availableDevices().find((device) => device !== "cpu") ?? "cpu") : wanted;
  const isPerProcess = /^cuda(:0)?$/.test(chosen);
  const device = isPerProcess ? `cuda:${localRank}` : chosen;
  const missing = missingDevice(localSize === 1 ? wanted.replace("auto", device) : device);
  if (missing !== undefined) throw new TrainingError(`training.device: ${missing}`, { hint: DEVICE_HINT });
  if (localSize > 1 && device !== "cpu" && !isPerProcess)
    throw new TrainingError(`training.device: ${localSize} processes can't share ${device}`, {
      hint: "train on cuda, where each has a GPU of its own, or on the CPU",
    });
  return device;
}
