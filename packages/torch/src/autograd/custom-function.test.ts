import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  customFunction,
  GradcheckError,
  grad,
  gradcheck,
  memory,
  ones,
  randn,
  scope,
  type Tensor,
  tensor,
} from "../index.ts";

const cube = customFunction({
  name: "cube",
  forward(context, x: Tensor) {
    context.saveForBackward(x);
    return x.pow(3);
  },
  backward([x], gradient) {
    return [(gradient as Tensor).mul((x as Tensor).square().mul(3))];
  },
});

function doubles(): Tensor {
  return tensor([0.5, -1, 2], { dtype: "float64", requiresGrad: true });
}

describe("customFunction", () => {
  test("gives its gradient to first and second order", () => {
    gradcheck(cube, [doubles()]);
    gradcheck((x) => grad([cube(x).sum()], [x], { createGraph: true })[0] as Tensor, [doubles()]);
  });

  test("takes and gives several tensors, and skips gradients that it leaves out", () => {
    const swap = customFunction({
      name: "swap",
      forward: (_, a: Tensor, b: Tensor) => [b.mul(2), a.mul(3)],
      backward: (_, first, second) => [second?.mul(3) ?? null, first?.mul(2) ?? null],
    });
    const a = ones([2], { requiresGrad: true });
    const b = ones([2], { requiresGrad: true });
    const [first, second] = swap(a, b) as [Tensor, Tensor];
    (first as Tensor).sum().backward();
    expect([a.grad?.toArray() ?? null, b.grad?.toArray()]).toEqual([
      [0, 0],
      [2, 2],
    ]);
    expect(second.toArray()).toEqual([3, 3]);
  });

  test("errors in forward and backward come out as they were thrown", () => {
    class Mine extends Error {}
    const failing = (where: "forward" | "backward"): ((x: Tensor) => Tensor) =>
      customFunction({
        name: "failing",
        forward(_, x: Tensor) {
          if (where === "forward") throw new Mine("in forward");
          return x.mul(1);
        },
        backward() {
          throw new Mine("in backward");
        },
      });
    const x = doubles();
    expect(() => failing("forward")(x)).toThrow(Mine);
    const y = failing("backward")(x).sum();
    expect(() => y.backward()).toThrow(Mine);
    expect(x.add(1).toArray()).toEqual([1.5, 0, 3]);
  });

  test("a wrong number of gradients is an error that names the function", () => {
    const wrong = customFunction({ name: "wrong", forward: (_, x: Tensor) => x.mul(1), backward: () => [] });
    const y = wrong(doubles()).sum();
    expect(() => y.backward()).toThrow(/wrong: backward must return 1/);
  });

  test("what is no tensor is refused, and the next call works", () => {
    for (const wrong of [3, { handle: "x" }, "gradient"]) {
      const given = customFunction({
        name: "given",
        forward: (_, x: Tensor) => x.mul(1),
        backward: () => [wrong as never],
      });
      expect(() => given(doubles()).sum().backward()).toThrow(
        "given: backward's gradient 0 is neither a tensor nor null",
      );
    }
    const saving = customFunction({
      name: "saving",
      forward(context, x: Tensor) {
        context.saveForBackward(5 as never);
        return x.mul(1);
      },
      backward: (_, gradient) => [gradient],
    });
    expect(() => saving(doubles())).toThrow("saving: saveForBackward takes tensors only");
    gradcheck(cube, [doubles()]);
  });

  test("is named in the graph without C++'s namespaces", () => {
    expect(cube(doubles()).gradFn).toBe("JsFunction");
    expect(doubles().exp().gradFn).toBe("ExpBackward0");
  });

  test("may return its input, or a view of it", () => {
    const same = customFunction({
      name: "same",
      forward: (_, x: Tensor) => x,
      backward: (_, gradient) => [(gradient as Tensor).mul(2)],
    });
    const turned = customFunction({
      name: "turned",
      forward: (_, x: Tensor) => x.t(),
      backward: (_, gradient) => [(gradient as Tensor).t().mul(3)],
    });
    const x = ones([2, 3], { dtype: "float64", requiresGrad: true });
    expect(grad([same(x).sum(), turned(x).sum()], [x])[0]?.toArray()).toEqual([
      [5, 5, 5],
      [5, 5, 5],
    ]);
  });

  test("leaves no tensor behind", () => {
    const x = doubles();
    const step = (): void => scope(() => cube(x).sum().backward());
    step();
    x.grad = null;
    const before = memory();
    for (let i = 0; i < 100; i++) step();
    x.grad = null;
    expect(memory()).toEqual(before);
  });

  test("passes on the way that a GPU's gradients take, from another thread", () => {
    const file = fileURLToPath(import.meta.url);
    // The variable is read once, at the first backward: hence a process of its own.
    if (process.env.PROMPTLOSS_TORCH_ENGINE_THREAD !== undefined) return;
    const run = spawnSync("npx", ["vitest", "run", file], {
      env: { ...process.env, PROMPTLOSS_TORCH_ENGINE_THREAD: "1" },
      encoding: "utf8",
    });
    expect(run.status, run.stdout + run.stderr).toBe(0);
  });
});

describe("gradcheck", () => {
  test("finds a wrong gradient and says where", () => {
    const wrong = customFunction({
      name: "wrong",
      forward: (_, x: Tensor) => x.square(),
      backward: (_, gradient) => [(gradient as Tensor).mul(2)],
    });
    expect(() => gradcheck(wrong, [doubles()])).toThrow(GradcheckError);
  });

  test("refuses to check nothing", () => {
    expect(() => gradcheck(cube, [ones([2], { dtype: "float64" })])).toThrow("no input requires gradients");
  });

  test("refuses float32", () => {
    expect(() => gradcheck(cube, [randn([2], { requiresGrad: true })])).toThrow(/float64/);
  });
});
