// AdamW, clipping and schedules against torch and transformers: test/python/training_goldens.py.
import { readFileSync } from "node:fs";
import { fromTypedArray, keep, scope, type Tensor } from "@promptloss/torch";
import { describe, expect, test } from "vitest";
import { AdamW } from "./adamw.ts";
import { clippingFactor, gradientNorm } from "./gradients.ts";
import { learningRateAt, type ScheduleSettings, warmupStepsOf } from "./schedule.ts";

interface Goldens {
  adamw: {
    betas: [number, number];
    epsilon: number;
    weightDecay: number;
    norms: number[];
    parameters: Record<string, number[]>;
  }[];
  schedules: (ScheduleSettings & { rates: number[] })[];
}

const goldens = JSON.parse(
  readFileSync(new URL("../../test/goldens/training.json", import.meta.url), "utf8"),
) as Goldens;

const SHAPES = { matrix: [3, 4], bias: [4] };

/** As `number` in training_goldens.py; the product stays below 2⁵³. */
function numberOf(name: string, index: number, step: number): number {
  const letters = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const seed = letters * 7919 + index * 104729 + step * 1299709;
  return (((seed * 16807) % 2147483647) / 2147483647) * 2 - 1;
}

function filled(name: string, shape: readonly number[], step: number, factor = 1): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return fromTypedArray(
    Float64Array.from({ length: count }, (_, i) => numberOf(name, i, step) * factor),
    shape,
  );
}

function parametersOf(): Map<string, Tensor> {
  return new Map(
    Object.entries(SHAPES).map(([name, shape]) => {
      const leaf = keep(filled(name, shape, 0));
      leaf.requiresGrad = true;
      return [name, leaf];
    }),
  );
}

function setGradients(parameters: ReadonlyMap<string, Tensor>, step: number): void {
  scope(() => {
    for (const [name, tensor] of parameters)
      tensor.grad = filled(name, tensor.shape, step, step === 3 ? 10 : 1);
  });
}

describe("AdamW", () => {
  test.each(goldens.adamw)(
    "with decay $weightDecay takes torch's steps",
    ({ norms, parameters, ...settings }) => {
      const own = parametersOf();
      using optimizer = new AdamW(own, settings);
      norms.forEach((expected, i) => {
        setGradients(own, i + 1);
        const norm = gradientNorm(own.values());
        // Both in float64, summed in different orders.
        expect(norm).toBeCloseTo(expected, 12);
        optimizer.step(0.1 / (i + 1), clippingFactor(norm, 1.5));
      });
      for (const [name, expected] of Object.entries(parameters))
        own
          .get(name)!
          .toTypedArray("float64")
          .forEach((value, i) => {
            expect(value, `${name}[${i}]`).toBeCloseTo(expected[i]!, 12);
          });
    },
  );

  test("goes on from its state bit for bit, and refuses another's", () => {
    const settings = goldens.adamw[1]!;
    const [whole, broken] = [parametersOf(), parametersOf()];
    using optimizer = new AdamW(whole, settings);
    const first = new AdamW(broken, settings);
    for (const step of [1, 2, 3]) {
      for (const [parameters, by] of [
        [whole, optimizer],
        [broken, first],
      ] as const) {
        setGradients(parameters, step);
        by.step(0.1);
      }
    }
    using second = new AdamW(broken, settings);
    second.restore(first.state());
    first.free();
    for (const [parameters, by] of [
      [whole, optimizer],
      [broken, second],
    ] as const) {
      setGradients(parameters, 4);
      by.step(0.1);
    }
    for (const [name, tensor] of whole)
      expect(broken.get(name)!.toTypedArray()).toEqual(tensor.toTypedArray());
    const other = new AdamW(new Map([["matrix", whole.get("matrix")!]]), settings);
    expect(() => other.restore(optimizer.state())).toThrow("of other parameters");
  });

  test("leaves a parameter without a gradient alone", () => {
    const parameters = parametersOf();
    using optimizer = new AdamW(parameters, goldens.adamw[1]!);
    const before = parameters.get("bias")!.toTypedArray();
    scope(() => {
      parameters.get("matrix")!.grad = filled("matrix", [3, 4], 1);
    });
    optimizer.step(0.1);
    expect(parameters.get("bias")!.toTypedArray()).toEqual(before);
    expect(parameters.get("matrix")!.toTypedArray()).not.toEqual(filled("matrix", [3, 4], 0).toTypedArray());
  });
});

describe("learningRateAt", () => {
  test.each(goldens.schedules)("$schedule with $warmupSteps steps of warm-up", ({ rates, ...settings }) => {
    rates.forEach((expected, step) => {
      expect(learningRateAt(step, settings)).toBeCloseTo(expected, 12);
    });
  });

  test("refuses a warm-up longer than the run", () => {
    expect(() =>
      learningRateAt(0, { schedule: "linear", learningRate: 1, steps: 2, warmupSteps: 3 }),
    ).toThrow("a warm-up of 3 steps is longer than the run of 2");
    expect(warmupStepsOf(101, 0.03)).toBe(4);
  });
});
