import { availableDevices } from "@promptloss/torch";
import { expect, test } from "vitest";
import { checkDevice, missingDevice } from "./device.ts";

test("a device that is not there is named with those that are", () => {
  expect(() => checkDevice("cuda:99")).toThrow(/^device: there is no cuda:99 here; there is .*cpu/);
  for (const device of availableDevices()) expect(missingDevice(device)).toBeUndefined();
});
