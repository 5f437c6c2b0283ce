// The pair against torch's embedding and the weight itself.
import { describe, expect, test } from "vitest";
import { relativeDifference } from "../../test/support/fused.ts";
import { embedding, fromTypedArray, manualSeed, randn, type Tensor, tiedEmbedding } from "../index.ts";

const indices = fromTypedArray(BigInt64Array.of(3n, 0n, 3n, 3n, 7n));

/** Something of both that has a gradient of each. */
const both = (rows: Tensor, head: Tensor): Tensor => rows.matmul(head.t()).pow(2).sum();

const leaf = (): Tensor => {
  manualSeed(1);
  const weight = randn([9, 4]);
  weight.requiresGrad = true;
  return weight;
};

const expected = (of: (rows: Tensor, head: Tensor) => Tensor, times = 1): Tensor => {
  const weight = leaf();
  for (let i = 0; i < times; i++) of(embedding(weight, indices), weight).backward();
  return weight.grad!;
};

describe("tiedEmbedding", () => {
  test("has the values and the gradient of the two apart", () => {
    const weight = leaf();
    const { rows, head } = tiedEmbedding(weight, indices);
    expect(rows.toArray()).toEqual(embedding(weight, indices).toArray());
    expect(head.toArray()).toEqual(weight.toArray());
    both(rows, head).backward();
    expect(relativeDifference(weight.grad!, expected(both))).toBeLessThan(1e-6);
  });

  test("of rows alone, and of the head alone", () => {
    for (const part of [
      (rows: Tensor) => rows.pow(2).sum(),
      (_: Tensor, head: Tensor) => head.pow(2).sum(),
    ]) {
      const weight = leaf();
      const { rows, head } = tiedEmbedding(weight, indices);
      part(rows, head).backward();
      expect(relativeDifference(weight.grad!, expected(part))).toBeLessThan(1e-6);
    }
  });

  test("adds to gradients that are there, and leaves a graph that is kept as it was", () => {
    const weight = leaf();
    const { rows, head } = tiedEmbedding(weight, indices);
    const loss = both(rows, head);
    loss.backward({ retainGraph: true });
    loss.backward();
    expect(relativeDifference(weight.grad!, expected(both, 2))).toBeLessThan(1e-6);
  });

  test("of a frozen weight", () => {
    const { rows, head } = tiedEmbedding(randn([9, 4]), indices);
    expect([rows.requiresGrad, head.requiresGrad]).toEqual([false, false]);
  });

  test("refuses indices that are no row of int64", () => {
    expect(() => tiedEmbedding(randn([9, 4]), randn([2]))).toThrow(
      /indices must be int64 of shape \[tokens\]/,
    );
  });
});
