import { describe, expect, test } from "vitest";
import { ArgumentError, ones, repeatInterleave, type Tensor } from "../index.ts";

describe("repeatInterleave", () => {
  test("repeats each element in place", () => {
    expect(repeatInterleave(ones([2]).cumsum(0), 2).toArray()).toEqual([1, 1, 2, 2]);
  });

  // Not even of nothing: libtorch 1 counts indices before it looks for elements.
  test.each<[string, () => Tensor, number | bigint]>([
    ["some elements", () => ones([4]), 2 ** 52],
    ["none", () => ones([0, 3]), 2n ** 62n],
  ])("refuses more times than can be counted, of %s", (_, input, times) => {
    expect(() => repeatInterleave(input(), times as number)).toThrow(ArgumentError);
  });
});
