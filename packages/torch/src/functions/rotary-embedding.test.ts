// The CPU's kernel against torch's operators in float64.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactTwin, relativeDifference, withoutFusedKernels } from "../../test/support/fused.ts";
import { manualSeed, OperatorError, randn, rotaryEmbedding, scope, type Tensor } from "../index.ts";

interface Case {
  tokens: number;
  heads: number;
  pairs: number;
  rest: number;
  dtype: "float32" | "bfloat16";
  /** Heads that stand between, as where queries, keys and values come of one product. */
  gap: number;
  seed: number;
}

const cases = fc.record<Case>({
  tokens: fc.integer({ min: 1, max: 40 }),
  heads: fc.integer({ min: 1, max: 4 }),
  pairs: fc.integer({ min: 1, max: 40 }),
  rest: fc.constantFrom(0, 1, 16, 20),
  dtype: fc.constantFrom("float32", "bfloat16"),
  gap: fc.constantFrom(0, 2),
  seed: fc.nat(1e6),
});

function tables(tokens: number, pairs: number): [Tensor, Tensor] {
  const angles = randn([tokens, 1, pairs]).mul(3);
  return [angles.cos(), angles.sin()];
}

/** One rounding of a result to 8 bits, or two products in float32. */
const TOLERANCE = { float32: 1e-6, bfloat16: 2 ** -8 } as const;

function compare({ tokens, heads, pairs, rest, dtype, gap, seed }: Case): void {
  scope(() => {
    manualSeed(seed);
    const [cos, sin] = tables(tokens, pairs);
    const all = randn([tokens, heads + gap, 2 * pairs + rest])
      .to({ dtype })
      .detach();
    all.requiresGrad = true;
    const twin = exactTwin(all);
    const found = rotaryEmbedding(all.narrow(1, gap, heads), cos, sin);
    const exact = withoutFusedKernels(() =>
      rotaryEmbedding(twin.narrow(1, gap, heads), cos.double(), sin.double()),
    );
    expect(found.dtype).toBe(dtype);
    expect(relativeDifference(found, exact)).toBeLessThan(TOLERANCE[dtype]);
    const gradient = randn(found.shape).to({ dtype });
    found.backward({ gradient });
    exact.backward({ gradient: gradient.double() });
    expect(relativeDifference(all.grad!, twin.grad!)).toBeLessThan(TOLERANCE[dtype]);
  });
}

describe("rotaryEmbedding", () => {
  test("equals torch's operators", () => {
    fc.assert(fc.property(cases, compare), { numRuns: 150 });
  });

  test("keeps lengths of pairs, and turns nothing by no angle", () => {
    const x = randn([3, 2, 8]);
    const [zero, one] = [randn([3, 1, 4]).mul(0), randn([3, 1, 4]).mul(0).add(1)];
    expect(rotaryEmbedding(x, one, zero).equal(x)).toBe(true);
    expect(rotaryEmbedding(x, zero, one).norm().item()).toBeCloseTo(x.norm().item(), 5);
  });

  test("refuses tables that do not fit", () => {
    const x = randn([3, 2, 8]);
    const [cos, sin] = tables(3, 5);
    expect(() => rotaryEmbedding(x, cos, sin)).toThrow(OperatorError);
    expect(() => rotaryEmbedding(x, cos.narrow(2, 0, 4), sin.narrow(2, 0, 3))).toThrow(/sin must have shape/);
    expect(() => rotaryEmbedding(x, cos.narrow(2, 0, 4).double(), sin)).toThrow(/cos must be float32/);
  });
});
