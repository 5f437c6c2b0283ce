import { expect, test } from "vitest";
import { chanceLevel } from "./scores.ts";

function item(place: number, choices: number, right: readonly number[]) {
  return {
    item: place,
    metrics: {},
    logLikelihoods: new Array<number>(choices).fill(-1),
    right,
  };
}

test("the chance level averages each item's share of right choices", () => {
  expect(chanceLevel([item(0, 4, [2]), item(1, 4, [0])])).toBe(0.25);
  // ARC has a few items of three and of five choices among those of four.
  expect(chanceLevel([item(0, 4, [2]), item(1, 5, [1]), item(2, 3, [0])])).toBeCloseTo(
    (1 / 4 + 1 / 5 + 1 / 3) / 3,
    15,
  );
  expect(chanceLevel([item(0, 6, [1, 3, 4]), item(1, 2, [0])])).toBe(0.5);
});
