import { crossEntropy, type DType, fromTypedArray, noGrad, scope } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tinyLlama } from "../../../test/tiny-llama.ts";
import { anyRows } from "../../../test/weighted-rows.ts";
import { TOKEN_CLASSES, type TokenClass } from "../../data/example.ts";
import { PackedTokens } from "../../data/packing/index.ts";
import type { WeightedTokens } from "../../data/tokens/index.ts";
import { lossFactors, lossTotals, NORMALIZATIONS } from "../../loss/normalization.ts";
import { totalSums } from "../../loss/part-sums.ts";
import { referenceLoss } from "../../loss/reference.ts";
import { type CausalLanguageModel, packSequences } from "../index.ts";
import { packLoss } from "./pack-loss.ts";

const model = tinyLlama({ dtype: "float64" });

/** Cross entropies of a row's tokens by torch's own operators, one row at a time; 0 for the first. */
function lossesOf(of: CausalLanguageModel, row: WeightedTokens): Float64Array {
  return noGrad(() =>
    scope(() => {
      const logits = of.logits(of.forward(packSequences([row.ids]))).narrow(0, 0, row.length - 1);
      const targets = fromTypedArray(BigInt64Array.from(row.ids.subarray(1), BigInt));
      const losses = crossEntropy(logits, targets, { reduction: "none" }).toTypedArray("float64");
      return Float64Array.of(0, ...losses);
    }),
  );
}

function settingsOf(rows: readonly WeightedTokens[], normalization: (typeof NORMALIZATIONS)[number]) {
  const settings = { normalization, promptShare: 0.25 };
  return { settings, factors: lossFactors(lossTotals(rows), settings) };
}

describe("packLoss", () => {
  test("is the reference's loss under every normalization", () => {
    fc.assert(
      fc.property(anyRows(), fc.constantFrom(...NORMALIZATIONS), (rows, normalization) => {
        const { settings, factors } = settingsOf(rows, normalization);
        const expected = referenceLoss(
          rows.map((row) => ({ row, losses: lossesOf(model, row) })),
          settings,
        );
        const found = scope(() => packLoss(model, PackedTokens.of(rows), { factors }).loss.item());
        // Normalized weights are float32: 2⁻²⁴ each.
        expect(Math.abs(found - expected) / Math.max(expected, 1e-3)).toBeLessThan(1e-6);
      }),
      { numRuns: 60 },
    );
  });

  test("measures each part without weights, masked tokens only when asked", () => {
    fc.assert(
      fc.property(anyRows(), (rows) => {
        const { factors } = settingsOf(rows, "weight-sum");
        const sum = (
          wanted: (weight: number) => boolean,
          classes: readonly TokenClass[],
        ): { tokens: number; loss: number } => {
          const all = rows.flatMap((row) => {
            const losses = lossesOf(model, row);
            return [...row.ids.keys()]
              .slice(1)
              .filter((i) => wanted(row.weights[i]!) && classes.includes(TOKEN_CLASSES[row.classes[i]!]!))
              .map((i) => losses[i]!);
          });
          return { tokens: all.length, loss: all.reduce((a, b) => a + b, 0) };
        };
        for (const measureAll of [false, true]) {
          const sums = totalSums(
            scope(() => packLoss(model, PackedTokens.of(rows), { factors, measureAll }).rows),
          );
          for (const [part, classes] of [
            ["prompt", ["system", "instruction", "input", "template", "tool-definition", "tool-result"]],
            ["content", ["completion", "reasoning", "tool-call"]],
            ["end", ["end"]],
          ] as const) {
            const expected = sum((weight) => measureAll || weight > 0, classes);
            expect(sums[part].tokens).toBe(expected.tokens);
            expect(sums[part].unmeasured).toBe(sum(() => true, classes).tokens - expected.tokens);
            expect(sums[part].loss).toBeCloseTo(expected.loss, 8);
            expect(sums[part].correct).toBeLessThanOrEqual(expected.tokens);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("smooths labels inside the reduction, and reports losses without smoothing", () => {
    fc.assert(
      fc.property(anyRows({ rows: 3 }), (rows) => {
        const { factors } = settingsOf(rows, "weight-sum");
        const pack = PackedTokens.of(rows);
        const plain = scope(() => packLoss(model, pack, { factors }).rows);
        const smoothed = scope(() => packLoss(model, pack, { factors, labelSmoothing: 0.1 }).rows);
        expect(smoothed).toEqual(plain);
        const whole = scope(() => packLoss(model, pack, { factors, labelSmoothing: 1 }).loss.item());
        const uniform = noGrad(() =>
          scope(() => {
            const logits = model.logits(model.forward(pack));
            return [...logits.logSoftmax(-1).mean(-1).neg().toTypedArray("float64")];
          }),
        );
        const { weights } = pack.shifted();
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const expected = weights.reduce((sum, weight, t) => sum + weight * uniform[t]!, 0) / total;
        expect(Math.abs(whole - expected) / expected).toBeLessThan(1e-6);
      }),
      { numRuns: 20 },
    );
  });

  test.each<DType>(["float32"])("under autocast to bf16 a %s model's loss stays close", (dtype) => {
    const small = tinyLlama({ dtype });
    const rows = fc.sample(anyRows(), { seed: 1, numRuns: 1 })[0]!;
    const { factors } = settingsOf(rows, "weight-sum");
    const [exact, rounded] = [undefined, "bfloat16" as const].map((compute) =>
      scope(() => packLoss(small, PackedTokens.of(rows), { factors, compute }).loss.item()),
    ) as [number, number];
    expect(rounded).not.toBe(exact);
    // bf16 keeps 8 bits of a logit.
    expect(Math.abs(rounded - exact) / exact).toBeLessThan(0.02);
  });
});
