import { describe, expect, test } from "vitest";
import { ArgumentError, grad, OperatorError, ones, randn, tensor } from "../index.ts";

describe("backward", () => {
  // Python: x = torch.tensor([1., 2, 3], requires_grad=True); (x ** 2).sum().backward(); x.grad
  test("fills the leaves' grad, and adds to it the next time", () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    x.square().sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 4, 6]);
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([3, 5, 7]);
    x.grad = null;
    expect(x.grad).toBeNull();
  });

  test("starts from a given gradient", () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    x.square().backward({ gradient: tensor([1, 10, 100]) });
    expect(x.grad?.toArray()).toEqual([2, 40, 600]);
  });

  test("refuses a tensor of many elements without a gradient", () => {
    const x = ones([2], { requiresGrad: true });
    expect(() => x.mul(2).backward()).toThrow(/scalar/);
  });

  test("refuses a second pass over a graph that was not retained", () => {
    const x = ones([2], { requiresGrad: true });
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(x.grad?.toArray()).toEqual([4, 4]);
    expect(() => y.backward()).toThrow(OperatorError);
  });

  test("accumulates in the inputs named, and no others", () => {
    const a = ones([1], { requiresGrad: true });
    const b = ones([1], { requiresGrad: true });
    a.mul(b)
      .sum()
      .backward({ inputs: [b] });
    expect([a.grad, b.grad?.item()]).toEqual([null, 1]);
  });

  test("refuses an empty list of inputs, which libtorch would take for all", () => {
    const x = ones([2], { requiresGrad: true });
    expect(() => x.sum().backward({ inputs: [] })).toThrow(ArgumentError);
    expect(x.grad).toBeNull();
    expect(() => grad([x.sum()], [])).toThrow(ArgumentError);
  });

  test("a grad that is no tensor can't be set, and does not clear the one that is", () => {
    const x = ones([2], { requiresGrad: true });
    x.sum().backward();
    for (const wrong of [3, undefined, {}, [1, 1]])
      expect(() => {
        x.grad = wrong as never;
      }).toThrow(ArgumentError);
    expect(x.grad?.toArray()).toEqual([1, 1]);
  });

  test("a grad of another shape can't be set", () => {
    const x = ones([2], { requiresGrad: true });
    expect(() => {
      x.grad = ones([3]);
    }).toThrow(/expected \[2\] float32.*got \[3\] float32/);
  });
});

describe("grad", () => {
  test("hands out gradients and leaves the leaves alone", () => {
    const x = tensor([2, 3], { requiresGrad: true });
    const [dx] = grad([x.pow(3).sum()], [x]);
    expect(dx?.toArray()).toEqual([12, 27]);
    expect(x.grad).toBeNull();
  });

  test("differentiates twice", () => {
    const x = tensor([2, 3], { requiresGrad: true });
    const [first] = grad([x.pow(3).sum()], [x], { createGraph: true });
    const [second] = grad([(first as typeof x).sum()], [x]);
    expect(second?.toArray()).toEqual([12, 18]);
  });

  test("gives null for an unused input where that is allowed", () => {
    const x = randn([2], { requiresGrad: true });
    const y = randn([2], { requiresGrad: true });
    expect(() => grad([x.sum()], [x, y])).toThrow(/unused/);
    const [dx, dy] = grad([x.sum()], [x, y], { allowUnused: true });
    expect([dx?.toArray(), dy]).toEqual([[1, 1], null]);
  });
});
