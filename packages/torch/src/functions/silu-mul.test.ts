// The CPU's kernel against torch's operators in float64.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactTwin, relativeDifference, withoutFusedKernels } from "../../test/support/fused.ts";
import { fromTypedArray, manualSeed, randn, scope, siluMul, type Tensor } from "../index.ts";

/** e^x is right to 2 units in the last place; bfloat16 results are rounded once to 8 bits. */
const TOLERANCE = { float32: 2e-6, bfloat16: 2 ** -8 } as const;

describe("siluMul", () => {
  test("equals torch's operators", () => {
    const cases = fc.record({
      size: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 16_000, max: 40_000 })),
      dtype: fc.constantFrom("float32" as const, "bfloat16" as const),
      spread: fc.constantFrom(1, 30),
      seed: fc.nat(1e6),
    });
    fc.assert(
      fc.property(cases, ({ size, dtype, spread, seed }) =>
        scope(() => {
          manualSeed(seed);
          const leaf = (): Tensor => {
            const made = randn([size]).mul(spread).to({ dtype }).detach();
            made.requiresGrad = true;
            return made;
          };
          const [gate, up] = [leaf(), leaf()];
          const [exactGate, exactUp] = [exactTwin(gate), exactTwin(up)];
          const found = siluMul(gate, up);
          const exact = withoutFusedKernels(() => siluMul(exactGate, exactUp));
          expect(found.dtype).toBe(dtype);
          expect(relativeDifference(found, exact)).toBeLessThan(TOLERANCE[dtype]);
          const gradient = randn([size]).to({ dtype });
          found.backward({ gradient });
          exact.backward({ gradient: gradient.double() });
          expect(relativeDifference(gate.grad!, exactGate.grad!)).toBeLessThan(TOLERANCE[dtype]);
          expect(relativeDifference(up.grad!, exactUp.grad!)).toBeLessThan(TOLERANCE[dtype]);
        }),
      ),
      { numRuns: 60 },
    );
  });

  test("of large numbers and none", () => {
    const gate = fromTypedArray(Float32Array.of(1e4, -1e4, 0, Number.NaN));
    const [large, small, zero, none] = siluMul(
      gate,
      fromTypedArray(Float32Array.of(1, 1, 5, 1)),
    ).toTypedArray();
    expect([large, zero, none]).toEqual([1e4, 0, Number.NaN]);
    expect(Math.abs(Number(small))).toBeLessThan(1e-30);
  });

  test("of strided halves", () => {
    const both = randn([6, 40]);
    const [gate, up] = both.chunk(2, 1) as [Tensor, Tensor];
    const exact = withoutFusedKernels(() => siluMul(gate.double(), up.double()));
    expect(relativeDifference(siluMul(gate, up), exact)).toBeLessThan(TOLERANCE.float32);
  });

  test("refuses shapes that differ", () => {
    expect(() => siluMul(randn([4]), randn([5]))).toThrow(/up must have gate's dtype, shape and device/);
  });
});
