import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  autocast,
  enableGrad,
  isGradEnabled,
  noGrad,
  ones,
  randn,
  TorchError,
} from "../index.ts";

describe("gradient modes", () => {
  test("noGrad records nothing, enableGrad inside it records again", () => {
    const x = ones([2], { requiresGrad: true });
    noGrad(() => {
      expect(isGradEnabled()).toBe(false);
      expect(x.mul(2).requiresGrad).toBe(false);
      expect(enableGrad(() => x.mul(2)).requiresGrad).toBe(true);
    });
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  test("the mode comes back after an error", () => {
    expect(() =>
      noGrad(() => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(isGradEnabled()).toBe(true);
  });

  test("an async function is refused, and its later error ends no process", async () => {
    const failing = async (): Promise<void> => {
      await null;
      throw new Error("later");
    };
    expect(() => noGrad(failing)).toThrow(TorchError);
    expect(() => autocast({}, failing)).toThrow(TorchError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isGradEnabled()).toBe(true);
  });

  test("detach leaves the graph", () => {
    const x = ones([2], { requiresGrad: true });
    const y = x.mul(2);
    expect(y.detach().requiresGrad).toBe(false);
    expect(y.detach().sharesStorageWith(y)).toBe(true);
  });

  test("a leaf that requires gradients is written only under noGrad", () => {
    const x = ones([2], { requiresGrad: true });
    expect(() => x.add_(1)).toThrow(/leaf/);
    noGrad(() => x.add_(1));
    expect(x.toArray()).toEqual([2, 2]);
  });
});

describe("autocast", () => {
  const a = randn([4, 4], { requiresGrad: true });
  const b = randn([4, 4]);

  test("computes products in bfloat16 and gives float32 gradients", () => {
    const product = autocast({}, () => a.matmul(b));
    expect(product.dtype).toBe("bfloat16");
    product.float().sum().backward();
    expect(a.grad?.dtype).toBe("float32");
  });

  test("ends with the function, by return and by error", () => {
    expect(() =>
      autocast({}, () => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(a.matmul(b).dtype).toBe("float32");
  });

  test("refuses a dtype that is not half precision", () => {
    for (const dtype of ["int64", "float64", "x"] as const)
      expect(() => autocast({ dtype: dtype as "int64" }, () => a.matmul(b))).toThrow(ArgumentError);
    expect(a.matmul(b).dtype).toBe("float32");
  });

  test("nests, and is off inside where that is asked for", () => {
    autocast({}, () => {
      expect(autocast({ enabled: false }, () => a.matmul(b)).dtype).toBe("float32");
      expect(a.matmul(b).dtype).toBe("bfloat16");
    });
  });
});
