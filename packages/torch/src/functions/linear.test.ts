// Products of native/ops against torch's operators in float64.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { exactTwin, relativeDifference } from "../../test/support/fused.ts";
import {
  autocast,
  type DType,
  getNumThreads,
  linear,
  manualSeed,
  ops,
  randn,
  scope,
  setNumThreads,
  type Tensor,
  TorchError,
  useFusedKernels,
} from "../index.ts";

/** A result is rounded once to 8 bits; sums of exact products are float32. */
const ROUNDED = 2 ** -8;
const SUMMED = 1e-5;

/** Whether native/ops' products in bfloat16 are written for this processor: all that has AVX2. */
const ownProducts = ops.promptloss!.has_float_product!.default!() as boolean;
const hasPairs = ops.promptloss!.has_tile_product!.default!() as boolean;

function leaf(shape: readonly number[], dtype: DType): Tensor {
  // Numbers that bfloat16 holds: what float32 operands are rounded to is no part of the difference.
  const made = randn(shape).bfloat16().to({ dtype }).detach();
  made.requiresGrad = true;
  return made;
}

/** In the order [columns, rows], seen as [rows, columns]. */
function transposed(tensor: Tensor): Tensor {
  const made = tensor.t().contiguous().t().detach();
  made.requiresGrad = true;
  return made;
}

function size(most: number) {
  return fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: most }));
}

const cases = fc.record({
  tokens: fc.integer({ min: 1, max: 200 }),
  inputs: size(900),
  outputs: size(600),
  bias: fc.boolean(),
  precision: fc.constantFrom("weights in float32", "all in bfloat16"),
  turned: fc.boolean(),
  seed: fc.nat(1e6),
});

describe("linear", () => {
  test("equals torch's operator, forward and backward", () => {
    fc.assert(
      fc.property(cases, ({ tokens, inputs, outputs, bias: biased, precision, turned, seed }) =>
        scope(() => {
          manualSeed(seed);
          const dtype = precision === "all in bfloat16" ? "bfloat16" : "float32";
          const x = leaf([tokens, inputs], dtype);
          const weight = turned ? transposed(leaf([outputs, inputs], dtype)) : leaf([outputs, inputs], dtype);
          const bias = biased ? leaf([outputs], dtype) : null;
          const found = autocast({ dtype: "bfloat16", device: "cpu" }, () => linear(x, weight, bias));
          expect(found.dtype).toBe("bfloat16");
          const [exactX, exactWeight] = [exactTwin(x), exactTwin(weight)];
          const exactBias = bias === null ? null : exactTwin(bias);
          const exact = linear(exactX, exactWeight, exactBias);
          expect(relativeDifference(found, exact)).toBeLessThan(ROUNDED);
          const gradient = randn([tokens, outputs]).bfloat16();
          found.backward({ gradient });
          exact.backward({ gradient: gradient.double() });
          for (const [own, twin] of [
            [x, exactX],
            [weight, exactWeight],
          ] as const) {
            expect(own.grad!.dtype).toBe(dtype);
            // Torch's own products in bfloat16 round some sums in between.
            const tolerance = !ownProducts ? 4 * ROUNDED : dtype === "float32" ? SUMMED : ROUNDED;
            expect(relativeDifference(own.grad!, twin.grad!)).toBeLessThan(tolerance);
          }
          if (bias !== null) expect(relativeDifference(bias.grad!, exactBias!.grad!)).toBeLessThan(ROUNDED);
        }),
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ["as the processor does it", (x: Tensor, weight: Tensor) => linear(x, weight)],
    ["by lanes", (x: Tensor, weight: Tensor) => ops.promptloss!.lane_product!.default!(x, weight) as Tensor],
  ])("of few rows without gradients: %s", (_, product) => {
    const few = fc.record({
      rows: fc.integer({ min: 1, max: 30 }),
      inputs: size(400),
      outputs: size(300),
      gap: fc.constantFrom(0, 3),
      dtype: fc.constantFrom<DType>("float32", "bfloat16"),
      seed: fc.nat(1e6),
    });
    fc.assert(
      fc.property(few, ({ rows, inputs, outputs, gap, dtype, seed }) => {
        scope(() => {
          manualSeed(seed);
          const x = randn([rows, inputs]).to({ dtype });
          const weight = randn([outputs, inputs + gap])
            .to({ dtype })
            .narrow(1, 0, inputs);
          const found = product(x, weight);
          expect([found.dtype, found.shape]).toEqual([dtype, [rows, outputs]]);
          const exact = x.double().matmul(weight.double().t());
          expect(relativeDifference(found, exact)).toBeLessThan(dtype === "float32" ? SUMMED : ROUNDED);
        });
      }),
      { numRuns: 100 },
    );
  });

  test("of rows up to those for which a weight is packed, with a bias", () => {
    const [weight, bias] = [randn([50, 70]).bfloat16(), randn([50]).bfloat16()];
    for (const rows of [1, 4, 5, 16, 17, 31, 32, 63, 64, 65, 100]) {
      const x = randn([rows, 70]).bfloat16();
      const exact = linear(x.double(), weight.double(), bias.double());
      expect(relativeDifference(linear(x, weight, bias), exact), `${rows} rows`).toBeLessThan(ROUNDED);
    }
  });

  test("refuses a bias of another length, for few rows and many", () => {
    const [weight, bias] = [randn([1000, 3]).bfloat16(), randn([2]).bfloat16()];
    for (const rows of [1, 5, 100])
      expect(() => linear(randn([rows, 3]).bfloat16(), weight, bias), `${rows} rows`).toThrow(TorchError);
  });

  test("of leading dimensions, and of an input that is turned round", () => {
    const [x, weight] = [randn([40, 3, 50]).bfloat16().transpose(0, 1), randn([30, 50]).bfloat16()];
    const found = linear(x, weight);
    expect(found.shape).toEqual([3, 40, 30]);
    expect(relativeDifference(found, linear(x.double(), weight.double()))).toBeLessThan(ROUNDED);
  });

  test("gives the second derivative, as torch does", () => {
    const second = (fused: boolean): Tensor => {
      const before = useFusedKernels(fused);
      manualSeed(1);
      const [x, weight] = [leaf([64, 40], "bfloat16"), leaf([30, 40], "bfloat16")];
      const y = linear(x, weight);
      y.mul(y).sum().backward({ createGraph: true });
      const first = x.grad!;
      x.grad = null;
      first.sum().backward();
      useFusedKernels(before);
      return weight.grad!;
    };
    expect(relativeDifference(second(true), second(false).double())).toBeLessThan(4 * ROUNDED);
  });

  // Rows are packed for 1,024 words of depth at a time, of one number or two; a thread keeps the sums of 128 panels of 48 columns between two.
  needs("avx2", ownProducts).test(
    `of several spans of depth, and more columns than wait for the next`,
    () => {
      const threads = getNumThreads();
      // One thread is given all columns of a block of rows.
      setNumThreads(1);
      try {
        for (const [inputs, outputs] of [
          [2049, 300],
          [4200, 47],
          [2100, 130 * 48 + 5],
        ] as const)
          scope(() => {
            const [x, weight] = [randn([130, inputs]).bfloat16(), randn([outputs, inputs]).bfloat16()];
            const bias = randn([outputs]).bfloat16();
            const exact = linear(x.double(), weight.double(), bias.double());
            expect(relativeDifference(linear(x, weight, bias), exact)).toBeLessThan(ROUNDED);
          });
      } finally {
        setNumThreads(threads);
      }
    },
  );

  const { float_product, tile_product } = ops.promptloss!;
  const byFloats = (halves: boolean, emulated: boolean) => (left: Tensor, right: Tensor) =>
    float_product!.default!(left, right, halves, emulated) as Tensor;
  describe.each([
    [
      "AMX's tiles in plain code",
      "avx512",
      hasPairs,
      true,
      (l: Tensor, r: Tensor) => tile_product!.default!(l, r),
    ],
    ["words of a float32", "avx2", ownProducts, false, byFloats(false, false)],
    ["words of a float32, rounded to bfloat16", "avx2", ownProducts, true, byFloats(true, false)],
    ["AVX-512's tile put together", "avx2", ownProducts, false, byFloats(false, true)],
    ["AVX-512's tile put together, rounded to bfloat16", "avx2", ownProducts, true, byFloats(true, true)],
  ] as const)("by %s", (_, need, isThere, halves, product) => {
    needs(need, isThere).test("equals torch's product", () => {
      const shapes = fc.record({ rows: size(150), depth: size(900), columns: size(200), seed: fc.nat(1e6) });
      const turns = fc.record({ left: fc.boolean(), right: fc.boolean() });
      fc.assert(
        fc.property(shapes, turns, ({ rows, depth, columns, seed }, turn) =>
          scope(() => {
            manualSeed(seed);
            const made = (shape: readonly [number, number], turned: boolean): Tensor => {
              const numbers = randn(shape).to({ dtype: seed % 2 === 0 ? "bfloat16" : "float32" });
              return turned ? numbers.t().contiguous().t() : numbers;
            };
            const [left, right] = [made([rows, depth], turn.left), made([depth, columns], turn.right)];
            const exact = (x: Tensor): Tensor => (halves ? x.bfloat16() : x).double();
            const found = product(left, right) as Tensor;
            expect(relativeDifference(found, exact(left).matmul(exact(right)))).toBeLessThan(SUMMED);
          }),
        ),
        { numRuns: 40 },
      );
    });
  });

  needs("avx2", ownProducts).test("of float32 rounded to bfloat16 keeps what is no number", () => {
    const [left, right] = [randn([20, 40]), randn([40, 20])];
    left.fill_(Number.NaN);
    for (const emulated of [false, true])
      expect(byFloats(true, emulated)(left, right).isnan().float().sum().item()).toBe(400);
  });

  test("without outputs has gradients of 0", () => {
    const [x, weight] = [leaf([70, 20], "bfloat16"), leaf([0, 20], "bfloat16")];
    linear(x, weight).sum().backward();
    expect(x.grad!.float().abs().amax().item()).toBe(0);
  });

  test("without products to sum is the bias", () => {
    expect(
      linear(randn([40, 0]).bfloat16(), randn([3, 0]).bfloat16())
        .sum()
        .item(),
    ).toBe(0);
  });
});
