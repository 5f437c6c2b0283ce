// The pair against torch's embedding and the weight itself.
import { describe, expect, test } from "vitest";
import { relativeDifference } from "../../test/support/fused.ts";
import {
  customFunction,
  embedding,
  fromTypedArray,
  grad,
  manualSeed,
  ones,
  randn,
  startProfile,
  stopProfile,
  type Tensor,
  tiedEmbedding,
  weightedCrossEntropy,
} from "../index.ts";

const indices = fromTypedArray(BigInt64Array.of(3n, 0n, 3n, 3n, 7n));

/** Something of both that has a gradient of each. */
function both(rows: Tensor, head: Tensor): Tensor {
  return rows.matmul(head.t()).pow(2).sum();
}

function leaf(): Tensor {
  manualSeed(1);
  const weight = randn([9, 4]);
  weight.requiresGrad = true;
  return weight;
}

function expected(of: (rows: Tensor, head: Tensor) => Tensor, times = 1): Tensor {
  const weight = leaf();
  for (let i = 0; i < times; i++) of(embedding(weight, indices), weight).backward();
  return weight.grad!;
}

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

  const rowsAndHead = (weight: Tensor): { rows: Tensor; head: Tensor } => tiedEmbedding(weight, indices);
  const plus = (rows: Tensor, head: Tensor): Tensor => rows.pow(2).sum().add(head.sum());

  test("writes into no gradient that another holds: of what is added to the head", () => {
    const weight = leaf();
    const delta = randn([9, 4], { requiresGrad: true });
    const { rows, head } = rowsAndHead(weight);
    const target = randn([9, 4]);
    const loss = (w: Tensor, r: Tensor): Tensor => w.add(delta).mul(target).sum().add(r.pow(2).sum());
    loss(head, rows).backward();
    expect(delta.grad!.toArray()).toEqual(target.toArray());
    expect(
      relativeDifference(
        weight.grad!,
        expected((r, w) => loss(w, r)),
      ),
    ).toBeLessThan(1e-6);
  });

  test("writes into no gradient that another holds: the caller's seed, or memory of JavaScript's", () => {
    for (const share of [false, true]) {
      const weight = leaf();
      const { rows, head } = rowsAndHead(weight);
      const values = new Float32Array(36).fill(1);
      const seed = share ? fromTypedArray(values, [9, 4], { share: true }) : ones([9, 4]);
      grad([rows, head], [weight], { gradients: [ones([5, 4]), seed] });
      expect(seed.toArray()).toEqual(ones([9, 4]).toArray());
      expect(values).toEqual(new Float32Array(36).fill(1));
    }
    const values = new Float32Array(36).fill(1);
    const shared = customFunction({
      name: "shared",
      forward: (_, input: Tensor) => input.mul(1),
      backward: () => [fromTypedArray(values, [9, 4], { share: true })],
    });
    const weight = leaf();
    const { rows, head } = rowsAndHead(weight);
    rows.sum().add(shared(head).sum()).backward();
    expect(values).toEqual(new Float32Array(36).fill(1));
  });

  test("takes a gradient of the head that is one number for all elements", () => {
    const weight = leaf();
    const { rows, head } = rowsAndHead(weight);
    plus(rows, head).backward();
    expect(relativeDifference(weight.grad!, expected(plus))).toBeLessThan(1e-6);
  });

  test("adds in place where nobody else holds the head's gradient", () => {
    const weight = leaf();
    const { rows, head } = rowsAndHead(weight);
    const targets = fromTypedArray(BigInt64Array.of(1n, 2n, 3n, 4n, 5n));
    const { loss } = weightedCrossEntropy(rows, head, targets, ones([5]));
    startProfile();
    loss.backward();
    const { events } = stopProfile();
    expect(events.filter(({ name }) => name === "aten::clone")).toEqual([]);
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
