import type { DType } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tinyLlama } from "../../test/tiny-llama.ts";
import { anyRows } from "../../test/weighted-rows.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { NORMALIZATIONS } from "../loss/index.ts";
import { type AccumulateSettings, accumulate } from "./accumulate.ts";
import { clearGradients } from "./gradients.ts";

function settings(change: Partial<AccumulateSettings> = {}): AccumulateSettings {
  return {
    normalization: { normalization: "weight-sum", promptShare: 0.3 },
    scope: "batch",
    microBatch: { tokens: 1000 },
    ...change,
  };
}

function gradientsOf(
  model: ReturnType<typeof tinyLlama>,
  rows: readonly WeightedTokens[],
  with_: AccumulateSettings,
): { loss: number; gradients: Map<string, Float64Array> } {
  clearGradients(model.parameters.values());
  const { loss } = accumulate(model, rows, with_, false);
  const gradients = new Map(
    [...model.parameters].map(([name, tensor]) => [
      name,
      tensor.grad!.to({ dtype: "float64" }).toTypedArray("float64"),
    ]),
  );
  return { loss, gradients };
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

// 2⁻⁵³ and 2⁻²⁴ a rounding, over some hundreds of sums; normalized weights are float32 in both, but the same ones.
// Gradients are held to the largest of all: where a parameter's own cancel out, as a query's over equal tokens,
// what is left is the rounding of the terms that canceled, and those are of the others' size.
describe.each<[DType, number]>([
  ["float64", 1e-6],
  ["float32", 1e-5],
])("%s", (dtype, tolerance) => {
  const model = tinyLlama({ dtype });

  test("loss and gradients depend on no split, order or packing", () => {
    const micro = fc.oneof(
      fc.record({ tokens: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ rows: fc.integer({ min: 1, max: 4 }) }),
    );
    fc.assert(
      fc.property(
        anyRows(),
        micro,
        fc.nat(),
        fc.constantFrom(...NORMALIZATIONS),
        fc.constantFrom(undefined, "all" as const, ["tool-result", "template"] as const),
        (rows, microBatch, turn, name, ownDenominator) => {
          const normalization = { normalization: name, promptShare: 0.3, ownDenominator };
          const whole = gradientsOf(model, rows, settings({ normalization }));
          const at = turn % rows.length;
          const turned = [...rows.slice(at), ...rows.slice(0, at)].reverse();
          const split = gradientsOf(model, turned, settings({ normalization, microBatch }));
          expect(Math.abs(split.loss - whole.loss) / whole.loss).toBeLessThan(tolerance);
          const size = Math.max(...[...whole.gradients.values()].map(largest));
          for (const [name, expected] of whole.gradients) {
            const off = largest(split.gradients.get(name)!.map((value, i) => value - expected[i]!));
            expect(off / size, name).toBeLessThan(tolerance);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

test("per micro-batch, losses are reduced each by itself and averaged", () => {
  const model = tinyLlama({ dtype: "float64" });
  const rows = fc.sample(anyRows({ rows: 4 }), { seed: 3, numRuns: 20 }).find(({ length }) => length === 4)!;
  // Each half needs a token that counts.
  const counting = rows.map((row) => ({ row, counts: row.trainedCount > 0 })).filter(({ counts }) => counts);
  const kept = counting.map(({ row }) => row);
  const each = kept.map((row) => accumulate(model, [row], settings(), false).loss);
  const mean = each.reduce((a, b) => a + b, 0) / each.length;
  const found = accumulate(
    model,
    kept,
    settings({ scope: "micro-batch", microBatch: { rows: 1 } }),
    false,
  ).loss;
  expect(found).toBeCloseTo(mean, 6);
  expect(accumulate(model, kept, settings(), false).loss).not.toBeCloseTo(mean, 6);
});
