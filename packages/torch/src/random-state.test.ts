import { expect, test } from "vitest";
import { fromTypedArray, getRngState, manualSeed, rand, setRngState } from "./index.ts";

test("a generator's state brings its numbers back", () => {
  manualSeed(3);
  const state = getRngState();
  const first = rand([5]).toTypedArray();
  expect(rand([5]).toTypedArray()).not.toEqual(first);
  setRngState(state);
  expect(rand([5]).toTypedArray()).toEqual(first);
});

test("a state may lie at any address, as a view of a file does", () => {
  manualSeed(3);
  const bytes = getRngState().toTypedArray("uint8");
  const first = rand([5]).toTypedArray();
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  setRngState(fromTypedArray(shifted, undefined, { share: true }).narrow(0, 1, bytes.length));
  expect(rand([5]).toTypedArray()).toEqual(first);
});

test("what is no state is refused", () => {
  expect(() => setRngState(fromTypedArray(new Uint8Array(7)))).toThrow();
});
