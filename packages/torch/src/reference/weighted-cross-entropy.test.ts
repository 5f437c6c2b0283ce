import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ReferenceArgumentError,
  type WeightedCrossEntropyInputs,
  type WeightedCrossEntropyOptions,
  weightedCrossEntropy,
} from "./index.ts";

type Name = "hidden" | "head" | "bias" | "weights";
const names: readonly Name[] = ["hidden", "head", "bias", "weights"];

interface Golden {
  readonly inputs: Omit<WeightedCrossEntropyInputs, "units">;
  readonly options: WeightedCrossEntropyOptions;
  readonly loss: number;
  readonly gradients: Partial<Record<Name, number[]>>;
}

const goldens = JSON.parse(
  readFileSync(new URL("../../test/goldens/weighted-cross-entropy.json", import.meta.url), "utf8"),
) as { units: number; cases: Golden[] };

function numbers(length: number, least = -2): fc.Arbitrary<number[]> {
  return fc.array(fc.double({ min: least, max: 2, noNaN: true }), { minLength: length, maxLength: length });
}

/** Inputs with at least one token that counts, and options. */
const problems = fc
  .record({
    tokens: fc.integer({ min: 1, max: 4 }),
    units: fc.integer({ min: 1, max: 3 }),
    vocabulary: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ tokens, units, vocabulary }) =>
    fc.record({
      inputs: fc.record({
        units: fc.constant(units),
        hidden: numbers(tokens * units),
        head: numbers(vocabulary * units),
        bias: numbers(vocabulary),
        // The first token always counts; finite differences need weights that may go down a little.
        weights: numbers(tokens, 0.1),
        targets: fc
          .array(fc.constantFrom(-100, ...Array(vocabulary).keys()), { minLength: tokens, maxLength: tokens })
          .map((targets) => [Math.max(0, targets[0]!), ...targets.slice(1)]),
      }),
      options: fc.record({
        reduction: fc.constantFrom("mean" as const, "sum" as const),
        labelSmoothing: fc.constantFrom(0, 0.1, 1),
        logitSoftcap: fc.constantFrom(0, 1.5),
      }),
    }),
  );

describe("weightedCrossEntropy, the reference", () => {
  it("equals torch's cross_entropy in float64", () => {
    expect(goldens.cases).toHaveLength(16);
    for (const { inputs, options, loss, gradients } of goldens.cases) {
      const result = weightedCrossEntropy({ ...inputs, units: goldens.units }, options);
      // Some dozens of float64 roundings on values around 1.
      expect(result.loss).toBeCloseTo(loss, 12);
      for (const name of names) {
        gradients[name]?.forEach((value, i) => {
          expect(result.gradients[name][i], `${name}[${i}]`).toBeCloseTo(value, 12);
        });
      }
    }
  });

  it("has the gradients of finite differences", () => {
    const step = 1e-5;
    fc.assert(
      fc.property(problems, ({ inputs, options }) => {
        const { gradients } = weightedCrossEntropy(inputs, options);
        for (const name of names) {
          inputs[name].forEach((value, i) => {
            const at = (moved: number): number =>
              weightedCrossEntropy({ ...inputs, [name]: inputs[name].with(i, moved) }, options).loss;
            const slope = (at(value + step) - at(value - step)) / (2 * step);
            // Central differences err by step² times a third derivative of order 10, and by rounding over step.
            expect(Math.abs(gradients[name][i]! - slope), `${name}[${i}]`).toBeLessThan(1e-7);
          });
        }
      }),
    );
  });

  it("is the loss of its token losses", () => {
    fc.assert(
      fc.property(problems, ({ inputs, options }) => {
        const plain = { ...options, reduction: "sum", labelSmoothing: 0 } as const;
        const { loss, tokenLosses } = weightedCrossEntropy(inputs, plain);
        expect(weightedCrossEntropy(inputs, options).tokenLosses).toEqual(tokenLosses);
        const sum = tokenLosses.reduce((total, tokenLoss, t) => total + inputs.weights[t]! * tokenLoss, 0);
        expect(sum).toBeCloseTo(loss, 12);
        tokenLosses.forEach((tokenLoss, t) => {
          expect(tokenLoss === 0 || inputs.targets[t] !== -100).toBe(true);
        });
      }),
    );
  });

  it("gives a certain loss by hand", () => {
    // Logits 0 and ln 3: probabilities 1/4 and 3/4.
    const inputs = {
      hidden: [1, 1, 1],
      head: [0, Math.log(3)],
      targets: [0, 1, 0],
      weights: [1, 0.5, 0],
      units: 1,
    };
    const { loss, tokenLosses, tokenCorrect, gradients } = weightedCrossEntropy(inputs);
    expect([...tokenCorrect]).toEqual([0, 1, 0]);
    expect(tokenLosses[0]).toBeCloseTo(Math.log(4), 14);
    expect(tokenLosses[1]).toBeCloseTo(Math.log(4 / 3), 14);
    expect(tokenLosses[2]).toBe(0);
    expect(loss).toBeCloseTo((Math.log(4) + 0.5 * Math.log(4 / 3)) / 1.5, 14);
    // (p − y) · w / Σw, over the tokens.
    expect(gradients.bias[1]).toBeCloseTo((0.75 - 0.5 * 0.25) / 1.5, 14);
    expect(gradients.hidden[2]).toBe(0);
  });

  it("stays finite for logits of 1e5", () => {
    const inputs = { hidden: [1e5], head: [1, -1], targets: [1], weights: [1], units: 1 };
    expect(weightedCrossEntropy(inputs).loss).toBe(2e5);
  });

  it("gives 0 for a sum without weights, and none for a mean", () => {
    const inputs = { hidden: [1, 2], head: [1, 2], targets: [0, -100], weights: [0, 1], units: 1 };
    expect(weightedCrossEntropy(inputs, { reduction: "sum" }).loss).toBe(0);
    expect(() => weightedCrossEntropy(inputs)).toThrow(ReferenceArgumentError);
  });

  it.each([
    ["units", { units: 0 }, {}],
    ["head", { head: [] }, {}],
    ["head", { head: [1, 2, 3] }, {}],
    ["hidden", { hidden: [1] }, {}],
    ["targets", { targets: [2] }, {}],
    ["targets", { targets: [0.5] }, {}],
    ["weights", { weights: [1, 1] }, {}],
    ["weights", { weights: [-1] }, {}],
    ["weights", { weights: [Number.NaN] }, {}],
    ["weights", { weights: [Number.POSITIVE_INFINITY] }, {}],
    ["bias", { bias: [1] }, {}],
    ["reduction", {}, { reduction: "none" as "sum" }],
    ["labelSmoothing", {}, { labelSmoothing: 1.5 }],
    ["logitSoftcap", {}, { logitSoftcap: -1 }],
  ] satisfies [string, Partial<WeightedCrossEntropyInputs>, WeightedCrossEntropyOptions][])(
    "refuses wrong %s: %j %j",
    (argument, inputs, options) => {
      const right = { hidden: [1, 2], head: [1, 2, 3, 4], targets: [1], weights: [1], units: 2 };
      expect(() => weightedCrossEntropy({ ...right, ...inputs }, options)).toThrow(
        expect.objectContaining({ argument }),
      );
    },
  );
});
