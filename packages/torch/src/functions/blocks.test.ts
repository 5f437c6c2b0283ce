// Matrices in few bits: expanded and quantized as the plain references say, and multiplied as they expand.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { relativeDifference, withoutFusedKernels } from "../../test/support/fused.ts";
import {
  autocast,
  BLOCK_KINDS,
  type BlockKind,
  blockLinear,
  type DType,
  expandBlocks,
  fromTypedArray,
  linear,
  manualSeed,
  noGrad,
  ops,
  quantizeBlocks,
  randn,
  scope,
  type Tensor,
  TorchError,
} from "../index.ts";
import { expandNormalFloat, quantizeNormalFloat } from "../reference/index.ts";

/** Bytes and elements of a block; NF4's rows are longer by what their scales share. */
const SIZES: Readonly<Record<string, readonly [elements: number, bytes: number]>> = {
  ...{ Q4_0: [32, 18], Q4_1: [32, 20], Q5_0: [32, 22], Q5_1: [32, 24], Q8_0: [32, 34], IQ4_NL: [32, 18] },
  ...{ Q2_K: [256, 84], Q3_K: [256, 110], Q4_K: [256, 144], Q5_K: [256, 176], Q6_K: [256, 210] },
  ...{ IQ1_S: [256, 50], IQ1_M: [256, 56], IQ2_XXS: [256, 66], IQ2_XS: [256, 74], IQ2_S: [256, 82] },
  ...{ IQ3_XXS: [256, 98], IQ3_S: [256, 110], IQ4_XS: [256, 136], NF4: [64, 0] },
};

/** A matrix of a kind: of random bytes, with small scales, where nothing else makes one. */
function matrix(
  kind: BlockKind,
  rows: number,
  blocks: number,
  seed: number,
): { blocks: Tensor; columns: number } {
  const [elements, bytes] = SIZES[kind]!;
  const columns = elements * blocks;
  if (kind === "NF4") return { blocks: quantizeBlocks(randn([rows, columns]).mul(0.1), kind), columns };
  const made = new Uint8Array(rows * blocks * bytes);
  let state = seed + 1;
  for (let i = 0; i < made.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // A float16 whose upper byte is below 0x20 is below 2⁻⁷, and none of them is infinite.
    made[i] = (state >>> 24) & (i % 2 === 1 ? 0x9f : 0xff);
  }
  return { blocks: fromTypedArray(made, [rows, blocks * bytes]), columns };
}

const ROUNDED = 2 ** -8;

describe("expanding", () => {
  test("NF4 as the reference does, and by torch's operators", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(1e6),
        (rows, blocks, seed) =>
          scope(() => {
            manualSeed(seed);
            const columns = 64 * blocks;
            const weight = randn([rows, columns]);
            const values = weight.toTypedArray() as Float32Array;
            const expected = quantizeNormalFloat(values, columns);
            const found = quantizeBlocks(weight, "NF4");
            expect(found.toTypedArray()).toEqual(expected);
            const expanded = fromTypedArray(expandNormalFloat(expected, columns), [rows, columns]);
            expect(expandBlocks(found, "NF4", columns, "float32").toTypedArray()).toEqual(
              expanded.toTypedArray(),
            );
            const rounded = expandBlocks(found, "NF4", columns, "bfloat16");
            expect(rounded.toTypedArray()).toEqual(expanded.bfloat16().toTypedArray());
            const plain = withoutFusedKernels(() => expandBlocks(found, "NF4", columns, "float32"));
            expect(plain.toTypedArray()).toEqual(expanded.toTypedArray());
          }),
      ),
      // More blocks than share a scale of scales.
      { numRuns: 10, examples: [[1, 300, 1]] },
    );
  });

  test("Q8_0 by torch's operators gives the same", () => {
    scope(() => {
      const blocks = quantizeBlocks(randn([5, 96]), "Q8_0");
      const found = expandBlocks(blocks, "Q8_0", 96, "float32").toTypedArray();
      expect(withoutFusedKernels(() => expandBlocks(blocks, "Q8_0", 96, "float32")).toTypedArray()).toEqual(
        found,
      );
    });
  });

  test("weights of zero, of one outlier, and of numbers that are none", () => {
    scope(() => {
      for (const kind of ["NF4", "Q8_0"] as const) {
        const zero = expandBlocks(quantizeBlocks(randn([3, 128]).mul(0), kind), kind, 128, "float32");
        expect(zero.abs().amax().item()).toBe(0);
        const odd = fromTypedArray(
          Float32Array.from({ length: 64 }, (_, i) => [NaN, 1e30, -Infinity, 0][i % 4]!),
          [1, 64],
        );
        expect(expandBlocks(quantizeBlocks(odd, kind), kind, 64, "float32").shape).toEqual([1, 64]);
      }
    });
  });
});

describe("products equal those with what the blocks expand to", () => {
  const cases = fc.record({
    tokens: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 150 })),
    outputs: fc.integer({ min: 1, max: 230 }),
    blocks: fc.integer({ min: 1, max: 4 }),
    bias: fc.boolean(),
    precision: fc.constantFrom("float32", "bfloat16", "autocast"),
    seed: fc.nat(1e6),
  });

  test.each(BLOCK_KINDS)("%s", (kind) => {
    fc.assert(
      fc.property(cases, ({ tokens, outputs, blocks: count, bias: biased, precision, seed }) =>
        scope(() => {
          manualSeed(seed);
          const { blocks, columns } = matrix(kind, outputs, count, seed);
          const dtype: DType = precision === "bfloat16" ? "bfloat16" : "float32";
          const x = randn([tokens, columns]).bfloat16().to({ dtype }).detach();
          x.requiresGrad = true;
          const bias = biased ? randn([outputs]).to({ dtype }) : null;
          const compute = (): Tensor => blockLinear(x, blocks, kind, bias);
          const found =
            precision === "autocast" ? autocast({ dtype: "bfloat16", device: "cpu" }, compute) : compute();
          const half = precision !== "float32";
          expect(found.dtype).toBe(half ? "bfloat16" : "float32");
          const weight = expandBlocks(blocks, kind, columns, half ? "bfloat16" : "float32").double();
          const exactX = x.double().detach();
          exactX.requiresGrad = true;
          const exact = linear(exactX, weight, bias?.double() ?? null);
          const tolerance = half ? ROUNDED : 1e-5;
          expect(relativeDifference(found, exact)).toBeLessThan(tolerance);
          // Few rows without a gradient go other ways: by the blocks as they are, whose weights are not rounded, and as
          // on processors without instructions for pairs of bfloat16.
          const rows = x.detach().to({ dtype: found.dtype });
          expect(
            relativeDifference(
              noGrad(() => blockLinear(rows, blocks, kind, bias)),
              exact,
            ),
          ).toBeLessThan(2 * tolerance);
          if (half && tokens <= 64 && bias === null) {
            const byLanes = ops.promptloss!.lane_block_product!.default!(rows, blocks, kind) as Tensor;
            expect(relativeDifference(byLanes, exact)).toBeLessThan(tolerance);
          }
          const gradient = randn([tokens, outputs]).bfloat16();
          found.backward({ gradient: gradient.to({ dtype: found.dtype }) });
          exact.backward({ gradient: gradient.double() });
          expect(x.grad!.dtype).toBe(dtype);
          expect(relativeDifference(x.grad!, exactX.grad!)).toBeLessThan(half ? 4 * ROUNDED : 1e-5);
        }),
      ),
      { numRuns: 12 },
    );
  });

  test("of a weight whose slabs are several, and without kernels of our own", () => {
    scope(() => {
      manualSeed(3);
      const blocks = quantizeBlocks(randn([1200, 8192]), "NF4");
      const weight = expandBlocks(blocks, "NF4", 8192, "bfloat16");
      const x = randn([70, 8192]).bfloat16().detach();
      x.requiresGrad = true;
      const found = blockLinear(x, blocks, "NF4");
      expect(relativeDifference(found, x.detach().double().matmul(weight.double().t()))).toBeLessThan(
        ROUNDED,
      );
      const gradient = randn([70, 1200]).bfloat16();
      found.backward({ gradient });
      expect(relativeDifference(x.grad!, gradient.double().matmul(weight.double()))).toBeLessThan(ROUNDED);
      const plain = withoutFusedKernels(() => noGrad(() => blockLinear(x, blocks, "NF4")));
      expect(relativeDifference(plain, found)).toBeLessThan(2 * ROUNDED);
    });
  });
});

test("what does not fit is refused", () => {
  scope(() => {
    const blocks = quantizeBlocks(randn([4, 64]), "NF4");
    expect(() => blockLinear(randn([2, 128]), blocks, "NF4")).toThrow(
      /rows of 128 columns of NF4 take 74 bytes, got 41/,
    );
    expect(() => blockLinear(randn([2, 63]), blocks, "NF4")).toThrow(/whole blocks/);
    expect(() => expandBlocks(blocks, "Q9" as BlockKind, 64, "float32")).toThrow(
      /no kind of blocks named Q9/,
    );
    expect(() => quantizeBlocks(randn([4, 100]), "Q8_0")).toThrow(/blocks of 32 columns, got 100/);
    expect(() => quantizeBlocks(randn([4, 256]), "Q4_K" as "NF4")).toThrow(TorchError);
    const trained = randn([4], { requiresGrad: true });
    expect(() => blockLinear(randn([2, 64]), blocks, "NF4", trained)).toThrow(/frozen/);
  });
});
