import { expect, test } from "vitest";
import { peakMemory } from "./peak-memory.ts";

test("the peak is no less than what is resident, and stays when memory is given back", () => {
  const before = peakMemory();
  expect(before).toBeGreaterThan(10e6);
  let held: Uint8Array | null = new Uint8Array(300e6).fill(1);
  const during = peakMemory();
  expect(during).toBeGreaterThanOrEqual(held.byteLength);
  held = null;
  expect(peakMemory()).toBeGreaterThanOrEqual(during);
});
