import { fromTypedArray, keep, logSoftmax, noGrad, scope, type Tensor } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tinyLlama } from "../../../test/tiny-llama.ts";
import { anyRows } from "../../../test/weighted-rows.ts";
import { PackedTokens } from "../../data/packing/index.ts";
import { createAdapter } from "../../models/index.ts";
import { KlPenalty, MinkowskiPenalty, minkowskiDistance } from "./index.ts";

function leaf(values: number[]): Tensor {
  const tensor = keep(fromTypedArray(Float64Array.from(values)));
  tensor.requiresGrad = true;
  return tensor;
}

describe("MinkowskiPenalty", () => {
  test.each([1, 1.5, 2, 3, 8])("of order %s has the gradient of finite differences", (order) => {
    const coefficient = 0.7;
    const weights = [leaf([1, -2, 0.5]), leaf([3, 0.25])];
    using penalty = new MinkowskiPenalty(weights, { order, coefficient });
    const starts = weights.map((weight) => keep(weight.detach().clone()));
    noGrad(() =>
      scope(() => {
        for (const [i, weight] of weights.entries()) weight.add_(leaf([0.3, -0.2, 0.1].slice(0, 3 - i)));
      }),
    );
    const distance = (): number =>
      coefficient *
      minkowskiDistance(
        weights.map((weight, i) => ({ weight, start: starts[i]! })),
        order,
      );
    expect(penalty.addGradients()).toBeCloseTo(distance(), 12);
    const step = 1e-6;
    for (const weight of weights)
      for (let i = 0; i < weight.numel; i++) {
        const at = (by: number): number =>
          noGrad(() =>
            scope(() => {
              weight.select(0, i).add_(by);
              const value = distance();
              weight.select(0, i).sub_(by);
              return value;
            }),
          );
        const slope = (at(step) - at(-step)) / (2 * step);
        // Central differences err by step² and by rounding over step: 1e-12 + 1e-16 / 1e-6.
        expect(weight.grad!.toTypedArray("float64")[i]).toBeCloseTo(slope, 7);
      }
  });

  test("of order infinity pulls the weight that moved most", () => {
    const weight = leaf([1, 2, 3]);
    using penalty = new MinkowskiPenalty([weight], { order: Number.POSITIVE_INFINITY, coefficient: 2 });
    noGrad(() => scope(() => weight.add_(leaf([0.1, -0.5, 0.2]))));
    expect(penalty.addGradients()).toBeCloseTo(1, 12);
    expect([...weight.grad!.toTypedArray("float64")]).toEqual([0, -2, 0]);
  });

  test("adds to gradients that are there, and nothing before the first step", () => {
    const weight = leaf([1]);
    using penalty = new MinkowskiPenalty([weight], { order: 1, coefficient: 3 });
    expect(penalty.addGradients()).toBe(0);
    expect(weight.grad).toBeNull();
    noGrad(() => weight.add_(1));
    scope(() => {
      weight.grad = fromTypedArray(Float64Array.of(10));
    });
    penalty.addGradients();
    expect(weight.grad!.item()).toBe(13);
    expect(() => new MinkowskiPenalty([weight], { order: 0.5, coefficient: 1 })).toThrow("order: 0.5");
    expect(() => new MinkowskiPenalty([weight], { order: 1, coefficient: -1 })).toThrow("coefficient: -1");
  });
});

describe("KlPenalty", () => {
  const coefficient = 0.5;

  test.each([false, true])(
    "is the mean divergence over trained tokens, with its gradients; adapter %s",
    (adapted) => {
      fc.assert(
        fc.property(anyRows({ rows: 3 }), (rows) => {
          const model = tinyLlama({ dtype: "float64" });
          if (adapted) model.adapter = createAdapter(model.architecture, { rank: 2 });
          using penalty = new KlPenalty(model, { coefficient });
          const start = tinyLlama({ dtype: "float64" });
          const moving = [...(model.adapter?.parameters ?? model.parameters)];
          noGrad(() => {
            for (const [name, tensor] of moving)
              if (!name.includes("norm")) scope(() => tensor.add_(tensor.randLike().mul(0.1)));
          });
          const pack = PackedTokens.of(rows);
          const places = [...pack.shifted().weights].flatMap((weight, place) =>
            weight > 0 ? [BigInt(place)] : [],
          );
          const run = (how: "penalty" | "direct"): { value: number; gradients: number[][] } => {
            for (const [, tensor] of moving) tensor.grad = null;
            const value = scope(() => {
              const hidden = model.forward(pack);
              if (how === "penalty") {
                const result = penalty.of(model, pack, hidden, { trainedCount: places.length });
                result.backward();
                return result.item();
              }
              const at = fromTypedArray(BigInt64Array.from(places));
              const target = noGrad(() =>
                logSoftmax(start.logits(start.forward(pack).indexSelect(0, at)), -1),
              );
              const predicted = logSoftmax(model.logits(hidden.indexSelect(0, at)), -1);
              const mean = target
                .exp()
                .mul(target.sub(predicted))
                .sum()
                .mul(coefficient / places.length);
              mean.backward();
              return mean.item();
            });
            return {
              value,
              gradients: moving.map(([, tensor]) => [
                ...tensor.grad!.to({ dtype: "float64" }).toTypedArray("float64"),
              ]),
            };
          };
          const [found, expected] = [run("penalty"), run("direct")];
          // The penalty's softmax is float32.
          expect(found.value).toBeCloseTo(expected.value, 5);
          found.gradients.forEach((gradient, p) => {
            gradient.forEach((value, i) => {
              expect(value, moving[p]![0]).toBeCloseTo(expected.gradients[p]![i]!, 5);
            });
          });
        }),
        { numRuns: 10 },
      );
    },
  );
});
