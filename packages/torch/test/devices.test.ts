// The engine's core on every device of the machine: autograd, a custom function, the fused loss, safetensors, seeds.
// The operators one by one are in operators.test.ts, on every device too.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  autocast,
  availableDevices,
  customFunction,
  type DType,
  getRngState,
  grad,
  gradcheck,
  manualSeed,
  openSafetensors,
  randn,
  scope,
  setRngState,
  synchronize,
  type Tensor,
  tensor,
  weightedCrossEntropy,
  writeSafetensors,
} from "../src/index.ts";
import { weightedCrossEntropy as reference } from "../src/reference/index.ts";
import { onEachDevice } from "./support/devices.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "devices-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function numbers(values: Tensor): number[] {
  return Array.from(values.to({ dtype: "float64", device: "cpu" }).toTypedArray("float64"));
}

test("the CPU is the first device", () => {
  expect(availableDevices()[0]).toBe("cpu");
});

onEachDevice((device) => {
  // Metal has no float64.
  const dtype: DType = device === "mps" ? "float32" : "float64";
  // Sums of some dozen terms, in any order.
  const digits = dtype === "float64" ? 12 : 4;

  const leaf = (values: Tensor): Tensor => {
    const moved = values.to({ dtype, device, copy: true });
    moved.requiresGrad = true;
    return moved;
  };

  const expectClose = (found: readonly number[], wanted: ArrayLike<number>): void => {
    expect(found).toHaveLength(wanted.length);
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i] as number, digits);
    });
  };

  test("a tensor is made there, stays there, and comes back", () => {
    const made = tensor([1, 2.5], { device });
    expect([made.device, made.add(1).device, made.cpu().device]).toEqual([device, device, "cpu"]);
    expect(made.mul(2).toArray()).toEqual([2, 5]);
    if (device !== "cpu") {
      expect(() => made.asTypedArray()).toThrow("on the CPU");
      expect(() => made.add(tensor([1, 2]))).toThrow(/device/);
      expect(String(made)).toContain(`device=${device}`);
    }
    synchronize(device);
  });

  test("gradients are those of calculus", () => {
    scope(() => {
      const [w, x] = [
        leaf(
          tensor([
            [1, -2, 3],
            [0.5, 4, -1],
          ]),
        ),
        leaf(tensor([0.125, 0.25, 0.5])),
      ];
      const y = w.matmul(x).tanh();
      y.sum().backward();
      const slopes = numbers(y.detach()).map((value) => 1 - value * value) as [number, number];
      expect(w.grad?.device).toBe(device);
      expectClose(
        numbers(w.grad as Tensor),
        slopes.flatMap((slope) => [0.125, 0.25, 0.5].map((v) => slope * v)),
      );
      expectClose(numbers(x.grad as Tensor), [
        slopes[0] + 0.5 * slopes[1],
        -2 * slopes[0] + 4 * slopes[1],
        3 * slopes[0] - slopes[1],
      ]);
    });
  });

  test("a custom function runs forward and backward, to second order", () => {
    const cube = customFunction({
      name: "cube",
      forward(context, x: Tensor) {
        context.saveForBackward(x);
        return x.pow(3);
      },
      backward: ([x], gradient) => [(gradient as Tensor).mul((x as Tensor).square().mul(3))],
    });
    scope(() => {
      const x = leaf(tensor([0.5, -1, 2]));
      const [first] = grad([cube(x).sum()], [x], { createGraph: true }) as [Tensor];
      const [second] = grad([first.sum()], [x]) as [Tensor];
      expectClose(numbers(first.detach()), [0.75, 3, 12]);
      expectClose(numbers(second), [3, -6, 12]);
      if (dtype === "float64") gradcheck(cube, [leaf(tensor([0.5, -1, 2]))]);
    });
  });

  test.skipIf(device === "mps")("autocast computes products in bfloat16", () => {
    scope(() => {
      const x = randn([4, 4], { device });
      expect(autocast({ device }, () => x.matmul(x)).dtype).toBe("bfloat16");
      expect(x.matmul(x).dtype).toBe("float32");
    });
  });

  test.each(["mean", "sum"] as const)("the weighted cross entropy is its reference's: %s", (reduction) => {
    scope(() => {
      manualSeed(5);
      const [tokens, units, vocabulary] = [7, 4, 6];
      const [hidden, head] = [leaf(randn([tokens, units])), leaf(randn([vocabulary, units]))];
      const targets = [0, 5, 3, -100, 2, 2, 1];
      const weights = [1, 0.5, 0, 1, 2, 0.25, 0];
      const { loss, tokenLosses } = weightedCrossEntropy(
        hidden,
        head,
        tensor(targets, { dtype: "int64", device }),
        tensor(weights, { dtype: dtype === "float64" ? "float64" : "float32", device }),
        { reduction, chunkSize: 3 },
      );
      loss.backward();
      const wanted = reference(
        {
          hidden: numbers(hidden.detach()),
          head: numbers(head.detach()),
          targets,
          weights,
          units,
        },
        { reduction },
      );
      expectClose([loss.item()], [wanted.loss]);
      expectClose(numbers(tokenLosses), wanted.tokenLosses);
      expectClose(numbers(hidden.grad as Tensor), wanted.gradients.hidden);
      expectClose(numbers(head.grad as Tensor), wanted.gradients.head);
    });
  });

  test("safetensors go onto it and come from it", () => {
    scope(() => {
      const path = join(folder, `${device.replace(":", "-")}.safetensors`);
      const values = randn([3, 5]);
      const halves = values.bfloat16();
      writeSafetensors(
        path,
        new Map([
          ["values", values.to({ device })],
          ["halves", halves.to({ device })],
        ]),
      );
      using file = openSafetensors(path);
      for (const [name, wanted] of Object.entries({ values, halves })) {
        const read = file.tensor(name).to({ device });
        expect([read.device, read.dtype, read.shape]).toEqual([device, wanted.dtype, [3, 5]]);
        expect(read.toTypedArray()).toEqual(wanted.toTypedArray());
      }
    });
  });

  test("a seed's numbers come again, and so does a generator's state", () => {
    const draw = (): number[] => scope(() => numbers(randn([20], { device })));
    manualSeed(9);
    const first = draw();
    const state = getRngState(device);
    const second = draw();
    expect(second).not.toEqual(first);
    setRngState(state, device);
    expect(draw()).toEqual(second);
    manualSeed(9);
    expect(draw()).toEqual(first);
  });
});
