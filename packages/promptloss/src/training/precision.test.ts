import { expect, test } from "vitest";
import { computeDtype, precisionNote } from "./precision.ts";

test("bf16 that the processor would emulate is told, and nothing else", () => {
  const without = (): boolean => false;
  expect(precisionNote("bfloat16", "cpu", without)).toMatch(/saves memory and no time/);
  expect(precisionNote(undefined, "cpu", without)).toBeUndefined();
  expect(precisionNote("bfloat16", "cpu", () => true)).toBeUndefined();
  // What `auto` settles on is never emulated.
  expect(precisionNote(computeDtype("auto", "cpu"), "cpu")).toBeUndefined();
});
