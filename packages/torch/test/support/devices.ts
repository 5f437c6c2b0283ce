// The devices that tests of devices run on: this machine's but for its GPU, which vitest's project `cuda` has.
import { describe } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { availableDevices } from "../../src/index.ts";

const only = process.env.PROMPTLOSS_TEST_DEVICE;

/** Describes the tests of each device. */
export function onEachDevice(body: (device: string) => void): void {
  const devices = availableDevices().filter((device) =>
    only === undefined ? !device.startsWith("cuda") : device.startsWith(only),
  );
  if (devices.length === 0) needs("cuda", false).test("on a GPU", () => {});
  else describe.each(devices)("on %s", body);
}
