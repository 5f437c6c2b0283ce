// The CPU's kernel against torch's operators in float64.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactTwin, relativeDifference, withoutFusedKernels } from "../../test/support/fused.ts";
import {
  autocast,
  getNumThreads,
  manualSeed,
  randn,
  rmsNorm,
  scope,
  setNumThreads,
  type Tensor,
} from "../index.ts";

type Narrow = "float32" | "bfloat16";
/** Sums of at most 200 products; bfloat16 rounds three times to 8 bits, and gradients of weights sum such numbers. */
const TOLERANCE = { float32: 5e-6, bfloat16: 2 ** -6 } as const;

interface Case {
  rows: number;
  width: number;
  input: Narrow;
  weight: Narrow;
  weightOffset: number;
  seed: number;
}

const cases = fc
  .record<Case>({
    rows: fc.integer({ min: 1, max: 200 }),
    width: fc.constantFrom(16, 48, 64, 208),
    input: fc.constantFrom("float32", "bfloat16"),
    weight: fc.constantFrom("float32", "bfloat16"),
    weightOffset: fc.constantFrom(0, 1),
    seed: fc.nat(1e6),
  })
  .filter(({ input, weight }) => weight === "float32" || input === "bfloat16");

function leaf(shape: number[], dtype: Narrow): Tensor {
  const made = randn(shape).to({ dtype }).detach();
  made.requiresGrad = true;
  return made;
}

function compare({ rows, width, input, weight, weightOffset, seed }: Case): void {
  scope(() => {
    manualSeed(seed);
    const [x, w] = [leaf([rows, width], input), leaf([width], weight)];
    const [exactX, exactW] = [exactTwin(x), exactTwin(w)];
    const found = rmsNorm(x, w, { weightOffset });
    const exact = withoutFusedKernels(() => rmsNorm(exactX, exactW, { weightOffset }));
    expect(found.dtype).toBe(weightOffset === 0 ? weight : input);
    const tolerance = TOLERANCE[input];
    expect(relativeDifference(found, exact)).toBeLessThan(tolerance);
    const gradient = randn(found.shape).to({ dtype: found.dtype });
    found.backward({ gradient });
    exact.backward({ gradient: gradient.double() });
    expect(x.grad!.dtype).toBe(input);
    expect(w.grad!.dtype).toBe(weight);
    expect(relativeDifference(x.grad!, exactX.grad!)).toBeLessThan(tolerance);
    expect(relativeDifference(w.grad!, exactW.grad!)).toBeLessThan(tolerance);
  });
}

describe("rmsNorm", () => {
  test("equals torch's operators", () => {
    fc.assert(fc.property(cases, compare), { numRuns: 150 });
  });

  test("rounds as torch's operators do, where the input is narrow", () => {
    const [x, w] = [randn([9, 64]).to({ dtype: "bfloat16" }), randn([64]).to({ dtype: "bfloat16" })];
    const found = rmsNorm(x, w);
    const plain = withoutFusedKernels(() => rmsNorm(x, w));
    expect(found.toTypedArray()).toEqual(plain.toTypedArray());
  });

  test("has autocast's dtype under autocast, and float32 gradients", () => {
    const [x, w] = [leaf([5, 32], "float32"), leaf([32], "float32")];
    const found = autocast({ dtype: "bfloat16" }, () => rmsNorm(x, w));
    expect(found.dtype).toBe("bfloat16");
    found.float().sum().backward();
    expect([x.grad!.dtype, w.grad!.dtype]).toEqual(["float32", "float32"]);
  });

  test("of strided rows, and of widths that the kernel does not take", () => {
    const x = randn([8, 2, 48]);
    for (const view of [x.narrow(1, 1, 1).squeeze(1), x.narrow(2, 3, 17)]) {
      const w = randn([view.shape.at(-1)!]);
      const exact = withoutFusedKernels(() => rmsNorm(view.double(), w.double()));
      expect(relativeDifference(rmsNorm(view, w), exact)).toBeLessThan(TOLERANCE.float32);
    }
  });

  test("gives the same with more threads, bit for bit", () => {
    const before = getNumThreads();
    const [once, again] = [1, 3].map((threads) => {
      setNumThreads(threads);
      manualSeed(3);
      const [x, w] = [leaf([500, 64], "float32"), leaf([64], "float32")];
      rmsNorm(x, w).square().sum().backward();
      return [x.grad!.toTypedArray(), w.grad!.toTypedArray()];
    });
    setNumThreads(before);
    expect(again).toEqual(once);
  });

  test("has no second derivative, and says so", () => {
    const x = leaf([2, 16], "float32");
    const y = rmsNorm(x, leaf([16], "float32"))
      .square()
      .sum();
    expect(() => y.backward({ createGraph: true })).toThrow(/second derivatives/);
  });
});
