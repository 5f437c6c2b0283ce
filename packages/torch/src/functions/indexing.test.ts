// at and put_ against PyTorch's indexing: test/python/indexing.py.
import { describe, expect, test } from "vitest";
import { readGoldens } from "../../test/support/goldens.ts";
import {
  ArgumentError,
  arange,
  at,
  type Index,
  put_,
  range,
  ShapeError,
  scope,
  type Tensor,
  tensor,
} from "../index.ts";

type Nested = number | boolean | Nested[];
type GoldenIndex =
  | number
  | null
  | "..."
  | { range: [number | null, number | null, number] }
  | { long: Nested }
  | { mask: Nested };

interface Case {
  indices: GoldenIndex[];
  shape: number[];
  data: number[];
  view: boolean;
  zeroed: number[];
  written?: number[];
}

const { cases, shape } = readGoldens<{ cases: Case[]; shape: number[] }>("indexing");

function x(): Tensor {
  return arange(0, 60).to({ dtype: "float32" }).reshape(shape);
}

function indexOf(index: GoldenIndex): Index {
  if (typeof index !== "object" || index === null) return index;
  if ("range" in index) return range(...index.range);
  return "long" in index ? tensor(index.long, { dtype: "int64" }) : tensor(index.mask, { dtype: "bool" });
}

function numbers(values: Tensor): number[] {
  return [...values.toTypedArray("float32")];
}

describe("at and put_", () => {
  test.each(cases.map((each) => [JSON.stringify(each.indices), each] as const))("x%s", (_, golden) => {
    scope(() => {
      const indices = golden.indices.map(indexOf);
      const source = x();
      const part = at(source, ...indices);
      expect(part.shape).toEqual(golden.shape);
      expect(numbers(part)).toEqual(golden.data);
      // PyTorch takes a single position in a tensor for a number; here a tensor always copies.
      const single = golden.indices.some(
        (each) =>
          typeof each === "object" && each !== null && "long" in each && typeof each.long === "number",
      );
      if (part.numel > 0 && !single) expect(part.sharesStorageWith(source)).toBe(golden.view);
      const zeroed = x();
      expect(put_(zeroed, 0, ...indices)).toBe(zeroed);
      expect(numbers(zeroed).flatMap((value, i) => (value === 0 ? [i] : []))).toEqual(golden.zeroed);
      if (golden.written === undefined) return;
      const values = arange(0, part.numel).to({ dtype: "float32" }).add(0.5).reshape(part.shape);
      expect(numbers(put_(x(), values, ...indices))).toEqual(golden.written);
    });
  });

  test("refuses what is out of range, too much, or no index", () => {
    scope(() => {
      expect(() => at(x(), 3)).toThrow(ShapeError);
      expect(() => at(x(), 0, 0, 0, 0)).toThrow(/index|indices|dimension/);
      expect(() => at(x(), "..." as const, "..." as const)).toThrow();
      expect(() => at(x(), 0.5)).toThrow(ArgumentError);
      expect(() => at(x(), "a" as never)).toThrow(/index/i);
      expect(() => at(x(), range(0, 2, -1))).toThrow(/step/);
    });
  });
});
