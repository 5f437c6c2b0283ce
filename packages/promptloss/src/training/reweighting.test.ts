// The rules on single tokens: their losses and gradients held to formulas over a vocabulary's logits in float64.
import { backward, crossEntropy, fromTypedArray, noGrad, scope, type Tensor } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tinyLlama } from "../../test/tiny-llama.ts";
import { anyRows } from "../../test/weighted-rows.ts";
import { PackedTokens } from "../data/packing/index.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import {
  LossError,
  lossFactors,
  lossTotals,
  REWEIGHTING_NAMES,
  REWEIGHTING_RULES,
  type ReweightingSettings,
  settledOptions,
} from "../loss/index.ts";
import { reweightingOf } from "../loss/reweighting.ts";
import { REWEIGHTING_REFERENCES, type ReferencePrediction } from "../loss/reweighting-reference.ts";
import { type CausalLanguageModel, packSequences } from "../models/index.ts";
import { accumulate } from "./accumulate.ts";
import { clearGradients } from "./gradients.ts";
import { referenceStatistic } from "./reference/index.ts";
import { rowStatistics } from "./reference/statistics.ts";

/** Every rule, those that take either model's predictions with both, and options away from their defaults. */
const RULES: ReweightingSettings[] = [
  ...REWEIGHTING_NAMES.map((rule) => ({ rule })),
  { rule: "infosft", predictions: "reference", options: { confidence: 0.7 } },
  { rule: "eaft", predictions: "reference", options: { topTokens: 5, exponent: 2 } },
  { rule: "profit", predictions: "reference", options: { threshold: 0.02 } },
  { rule: "prift-mass", options: { threshold: 0.2 } },
  { rule: "rho-1", options: { ratio: 0.25 } },
];

const model = tinyLlama({ dtype: "float64" });
const reference = tinyLlama({ dtype: "float64", seed: 2 });

interface Token extends ReferencePrediction {
  readonly row: number;
  readonly place: number;
  /** Weight times factor. */
  readonly weight: number;
}

/** The predictions that are trained, in order, by torch's own operators, one row at a time. */
function tokensOf(of: CausalLanguageModel, rows: readonly WeightedTokens[]): Token[] {
  const factors = factorsOf(rows);
  return rows.flatMap((row, index) => {
    const logits = noGrad(() =>
      scope(() => of.logits(of.forward(packSequences([row.ids]))).toTypedArray("float64")),
    );
    const width = logits.length / row.length;
    return Array.from({ length: row.length - 1 }, (_, place) => ({
      row: index,
      place,
      weight: row.weights[place + 1]! * factors[row.classes[place + 1]!]!,
      logits: logits.subarray(place * width, (place + 1) * width),
      target: row.ids[place + 1]!,
    })).filter(({ weight }) => weight > 0);
  });
}

function factorsOf(rows: readonly WeightedTokens[]) {
  return lossFactors(lossTotals(rows), { normalization: "weight-sum" });
}

function withReference(rows: readonly WeightedTokens[], settings: ReweightingSettings): WeightedTokens[] {
  const of = referenceStatistic(settings);
  if (of === undefined) return [...rows];
  const statistics = rowStatistics(reference, rows, of, undefined);
  return rows.map((row, index) => row.withReference(statistics[index]!));
}

/** The factors of the trained tokens by the formulas. */
function formula(rows: readonly WeightedTokens[], settings: ReweightingSettings): number[] {
  const [own, other] = [tokensOf(model, rows), tokensOf(reference, rows)];
  const seen = settings.predictions === "reference" ? other : own;
  return REWEIGHTING_REFERENCES[settings.rule](seen, other, settledOptions(settings));
}

/** Σ of weight·factor·ℓ with the factors given, by torch's own operators. */
function heldLoss(rows: readonly WeightedTokens[], factors: readonly number[]): Tensor {
  const tokens = tokensOf(model, rows);
  return scope(() =>
    rows
      .map((row, index) => {
        const logits = model.logits(model.forward(packSequences([row.ids])));
        const by = new Float64Array(row.length);
        for (const [i, token] of tokens.entries())
          if (token.row === index) by[token.place] = token.weight * factors[i]!;
        const targets = fromTypedArray(BigInt64Array.from(row.ids.subarray(1), BigInt));
        const losses = crossEntropy(logits.narrow(0, 0, row.length - 1), targets, { reduction: "none" });
        return losses.mul(fromTypedArray(by.slice(0, -1))).sum();
      })
      .reduce((sum, loss) => sum.add(loss)),
  );
}

function gradients(): number[] {
  return [...model.parameters.values()].flatMap((tensor) => [...tensor.grad!.toTypedArray("float64")]);
}

/** The largest difference, as a share of the largest number. */
function distance(wanted: readonly number[], found: readonly number[]): number {
  const size = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0) / size;
}

const accumulation = {
  normalization: { normalization: "weight-sum" },
  scope: "batch",
  microBatch: { tokens: 1000 },
} as const;

describe.each(RULES.map((settings) => [JSON.stringify(settings), settings] as const))("%s", (_, settings) => {
  test("loss and gradients are those of its formula with the factors held", () => {
    fc.assert(
      fc.property(anyRows({ rows: 4 }), (plain) => {
        const rows = withReference(plain, settings);
        const reweighting = reweightingOf(settings);
        clearGradients(model.parameters.values());
        const { loss } = accumulate(model, rows, { ...accumulation, reweighting }, false);
        const found = gradients();
        clearGradients(model.parameters.values());
        const factors = formula(plain, settings);
        const expected = scope(() => {
          const held = heldLoss(plain, factors);
          backward(held);
          return held.item();
        });
        expect(Math.abs(loss - expected) / Math.max(expected, 1e-3)).toBeLessThan(1e-5);
        const wanted = gradients();
        expect(distance(wanted, found)).toBeLessThan(1e-5);
      }),
      { numRuns: 5, seed: 5 },
    );
  });

  test("the gradient is the slope of the loss with the factors held", () => {
    const [plain] = fc.sample(anyRows({ rows: 3 }), { seed: 9, numRuns: 1 }) as [WeightedTokens[]];
    clearGradients(model.parameters.values());
    const reweighting = reweightingOf(settings);
    accumulate(model, withReference(plain, settings), { ...accumulation, reweighting }, false);
    const factors = formula(plain, settings);
    const weight = model.head;
    const slope = weight.grad!.select(0, 3).select(0, 2).item();
    const at = (change: number): number =>
      noGrad(() =>
        scope(() => {
          const one = weight.select(0, 3).select(0, 2);
          one.add_(change);
          const loss = heldLoss(plain, factors).item();
          one.sub_(change);
          return loss;
        }),
      );
    const measured = (at(1e-4) - at(-1e-4)) / 2e-4;
    expect(Math.abs(slope - measured)).toBeLessThan(1e-6 * Math.max(1, Math.abs(measured)) + 1e-7);
  });

  test("neither loss nor gradients depend on micro-batches", () => {
    fc.assert(
      fc.property(anyRows(), fc.integer({ min: 1, max: 3 }), (plain, size) => {
        const rows = withReference(plain, settings);
        const reweighting = reweightingOf(settings);
        const measured = [{ tokens: 1000 }, { rows: size }].map((microBatch) => {
          clearGradients(model.parameters.values());
          const { loss } = accumulate(model, rows, { ...accumulation, microBatch, reweighting }, false);
          return [loss, ...gradients()];
        });
        expect(distance(measured[0]!, measured[1]!)).toBeLessThan(1e-6);
      }),
      { numRuns: 4, seed: 3 },
    );
  });
});

test("a rule that looks at a reference model refuses rows that carry none", () => {
  const [rows] = fc.sample(anyRows(), { seed: 1, numRuns: 1 }) as [WeightedTokens[]];
  const reweighting = reweightingOf({ rule: "prift-prob" });
  expect(() => accumulate(model, rows, { ...accumulation, reweighting }, false)).toThrow(LossError);
  const mixed = [rows[0]!.withReference(new Float32Array(rows[0]!.length)), rows[0]!];
  expect(() => PackedTokens.of(mixed)).toThrow(/rows without in one pack/);
});

test("a token that is certain, one that is impossible, and equal scores have finite factors", () => {
  const losses = fromTypedArray(Float32Array.of(0, -1e-7, 200, 1e-8));
  const { factor } = REWEIGHTING_RULES.infosft;
  expect([...factor(losses, settledOptions({ rule: "infosft" })).toTypedArray("float32")]).toEqual([
    0, 0, 0, 0,
  ]);
  const rho = reweightingOf({ rule: "rho-1", options: { ratio: 0.5 } });
  if (typeof rho === "function") throw new Error("rho-1 is of a batch");
  const of = rho.factors(Float64Array.of(1, 1 + 1e-7, 0, 0));
  expect([1, 1 + 1e-7, 0].map(of)).toEqual([2, 2, 0]);
  expect(rho.factors(new Float64Array(0))(1)).toBe(0);
});
