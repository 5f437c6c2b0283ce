// The norm against sums in float64, of sizes at which a sum in float32 no longer moves.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arange,
  fromTypedArray,
  full,
  manualSeed,
  memory,
  OperatorError,
  ones,
  ops,
  randn,
  scope,
  type Tensor,
  totalNorm,
} from "../index.ts";

/** The same by float64 tensors, which ATen sums in float64. */
function expected(tensors: readonly Tensor[]): number {
  return scope(() => Math.hypot(...tensors.map((each) => each.double().norm().item())));
}

describe("totalNorm", () => {
  test("is that of all elements as one vector, in every floating dtype and layout", () => {
    manualSeed(3);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            rows: fc.integer({ min: 0, max: 90 }),
            columns: fc.integer({ min: 0, max: 90 }),
            dtype: fc.constantFrom("float32", "float64", "bfloat16", "float16"),
            layout: fc.constantFrom("plain", "transposed", "stepped", "expanded"),
          }),
          { maxLength: 4 },
        ),
        (parts) =>
          scope(() => {
            const tensors = parts.map(({ rows, columns, dtype, layout }) => {
              const base = randn([rows, columns]).to({ dtype: dtype as "float32" });
              if (layout === "transposed") return base.t();
              if (layout === "stepped") return base.narrow(1, 0, columns >> 1);
              return layout === "expanded" ? base.unsqueeze(0).expand([3, rows, columns]) : base;
            });
            const right = expected(tensors);
            // Both sum in float64; the order differs.
            expect(Math.abs(totalNorm(tensors) - right)).toBeLessThanOrEqual(1e-12 * right);
          }),
      ),
    );
  });

  // 130 million elements, of which a sum in float32 finds 1.3 % too few; 520 MB, one row 130 times in the other case.
  test.each(["float32", "bfloat16"] as const)("of 130 million %s elements is right to 1e-6", (dtype) =>
    scope(() => {
      const value = dtype === "float32" ? 1e-3 : 2 ** -10;
      const norm = totalNorm([full([130_000_000], value, { dtype })]);
      const right = Math.fround(value) * Math.sqrt(130e6);
      expect(Math.abs(norm / right - 1)).toBeLessThan(1e-12);
      // Not a fused kernel's case: elements that lie apart.
      const apart = full([1, 1_000_000], value, { dtype }).expand([130, 1_000_000]);
      expect(Math.abs(totalNorm([apart]) / right - 1)).toBeLessThan(1e-12);
    }),
  );

  test("does not overflow where float32 does, and passes on what is no number", () => {
    expect(totalNorm([full([4], 1e30)])).toBe(2 * Math.fround(1e30));
    expect(totalNorm([])).toBe(0);
    expect(totalNorm([fromTypedArray(Float32Array.of(1, Number.NaN))])).toBeNaN();
    expect(totalNorm([fromTypedArray(Float32Array.of(1, Number.POSITIVE_INFINITY))])).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test("takes complex and sparse tensors, and those that require gradients", () => {
    const complex = ops.aten!.complex!(full([3], 3), full([3], 4)) as Tensor;
    expect(totalNorm([complex])).toBeCloseTo(Math.sqrt(75), 12);
    const sparse = ops.aten!.to_sparse!(full([2, 2], 2)) as Tensor;
    expect(totalNorm([sparse])).toBeCloseTo(4, 12);
    expect(totalNorm([ones([4], { requiresGrad: true })])).toBe(2);
  });

  test("refuses integers, and leaves no tensor behind", () => {
    expect(() => totalNorm([arange(0, 4)])).toThrow(OperatorError);
    const tensors = [randn([5])];
    const before = memory().tensors;
    totalNorm(tensors);
    expect(memory().tensors).toBe(before);
  });
});
