import { fromTypedArray, type Tensor } from "@promptloss/torch";
import { expect, it } from "vitest";
import { packSequences } from "../../models/index.ts";
import { RecentTokens } from "./recent-tokens.ts";
import type { Row } from "./row.ts";

function rowsOf(...seen: number[][]): { row: Row }[] {
  return seen.map((each) => ({ row: { seen: new Set(each) } as Row }));
}

function ids(...values: number[]): Tensor {
  return fromTypedArray(BigInt64Array.from(values, BigInt));
}

function listOf(tensor: Tensor | undefined): unknown {
  return tensor?.toArray();
}

it("has a step's tokens for the next, among those that the host knows", () => {
  const recent = new RecentTokens(rowsOf([], [], []), 4, "cpu");
  recent.add(ids(7, 9), [0, 2]);
  const packed = packSequences([[0], [4, 5], [0]]);
  expect(listOf(recent.input(packed, [0, 2]))).toEqual([7, 4, 5, 9]);
  recent.add(ids(1, 2, 3), [0, 1, 2]);
  expect(listOf(recent.input(packSequences([[0], [0], [0]]), [0, 1, 2]))).toEqual([1, 2, 3]);
  recent.free();
});

it("repeats what a row has seen where no token was chosen for it, so that a penalty takes nothing else", () => {
  const recent = new RecentTokens(rowsOf([5, 6], [8]), 4, "cpu");
  expect(recent.of([0, 1])).toBeUndefined();
  recent.add(ids(3), [1]);
  recent.add(ids(4), [1]);
  expect(listOf(recent.of([0, 1]))).toEqual([
    [5, 5],
    [3, 4],
  ]);
  expect(listOf(recent.of([1]))).toEqual([[3, 4]]);
  recent.free();
});
