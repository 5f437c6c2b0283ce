// The packed kernel against torch's attention of each sequence alone, with a mask, in float64.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arange,
  autocast,
  cat,
  type DType,
  getNumThreads,
  manualSeed,
  OperatorError,
  packedAttention,
  randn,
  scaledDotProductAttention,
  scope,
  setNumThreads,
  type Tensor,
} from "../index.ts";

interface Case {
  lengths: number[];
  groups: number;
  shared: number;
  width: number;
  window: number;
  seed: number;
}

const cases = fc.record<Case>({
  // Blocks of 64 queries, vectors of 16 keys: lengths around both.
  lengths: fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 60, max: 140 })), {
    minLength: 1,
    maxLength: 4,
  }),
  groups: fc.integer({ min: 1, max: 3 }),
  shared: fc.integer({ min: 1, max: 3 }),
  width: fc.constantFrom(16, 32, 48, 64, 80, 112, 128, 144),
  window: fc.constantFrom(0, 1, 5, 16, 70),
  seed: fc.nat(1e6),
});

function startsOf(lengths: readonly number[]): number[] {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return starts;
}

/** The same by torch, a sequence at a time. */
function reference(query: Tensor, key: Tensor, value: Tensor, { lengths, shared, window }: Case): Tensor {
  const starts = startsOf(lengths);
  const parts = lengths.map((length, i) => {
    const spread = (x: Tensor, repeat: number): Tensor =>
      x.narrow(0, starts[i]!, length).transpose(0, 1).repeatInterleave(repeat, 0).unsqueeze(0);
    const places = arange(0, length);
    const back = places.unsqueeze(1).sub(places.unsqueeze(0));
    const mask = back.ge(0).logicalAnd(back.lt(window === 0 ? length : window));
    const output = scaledDotProductAttention(spread(query, 1), spread(key, shared), spread(value, shared), {
      mask,
    });
    return output.squeeze(0).transpose(0, 1);
  });
  return cat(parts, 0);
}

function leaves({ lengths, groups, shared, width, seed }: Case, dtype: DType): [Tensor, Tensor, Tensor] {
  manualSeed(seed);
  const tokens = lengths.reduce((a, b) => a + b, 0);
  const make = (heads: number): Tensor => {
    const leaf = randn([tokens, heads, width]).to({ dtype }).detach();
    leaf.requiresGrad = true;
    return leaf;
  };
  return [make(groups * shared), make(groups), make(groups)];
}

function difference(a: Tensor, b: Tensor): number {
  return a.double().sub(b.double()).abs().amax().item();
}

function compare(each: Case, dtype: DType, tolerance: number): void {
  scope(() => {
    const inputs = leaves(each, dtype);
    const twins = inputs.map((input) => {
      const twin = input.double().detach();
      twin.requiresGrad = true;
      return twin;
    }) as [Tensor, Tensor, Tensor];
    const output = packedAttention(...inputs, startsOf(each.lengths), { window: each.window });
    const expected = reference(...twins, each);
    expect(output.dtype).toBe(dtype);
    expect(difference(output, expected)).toBeLessThan(tolerance);
    const seed = randn(output.shape).to({ dtype });
    output.backward({ gradient: seed });
    expected.backward({ gradient: seed.double() });
    inputs.forEach((input, i) => {
      const exact = twins[i]!.grad!;
      const size = Math.max(1, exact.abs().amax().item());
      expect(difference(input.grad!, exact) / size).toBeLessThan(tolerance);
    });
  });
}

describe("packedAttention", () => {
  test("equals torch's attention of each sequence in float32", () => {
    // Sums of at most 144 products and 140 tokens, numbers around 1.
    fc.assert(
      fc.property(cases, (each) => compare(each, "float32", 2e-5)),
      { numRuns: 60 },
    );
  });

  test("equals it in bfloat16, whose inputs and outputs have 8 bits", () => {
    fc.assert(
      fc.property(cases, (each) => compare(each, "bfloat16", 2 ** -6)),
      { numRuns: 30 },
    );
  });

  test("gives the same with more threads, bit for bit", () => {
    const before = getNumThreads();
    const [once, again] = [1, 3].map((threads) => {
      setNumThreads(threads);
      const inputs = leaves(
        { lengths: [70, 3, 20], groups: 2, shared: 2, width: 48, window: 0, seed: 8 },
        "float32",
      );
      const output = packedAttention(...inputs, [0, 70, 73, 93]);
      output.square().sum().backward();
      return [output, ...inputs.map(({ grad }) => grad!)].map((each) => each.toTypedArray());
    });
    setNumThreads(before);
    expect(again).toEqual(once);
  });

  test("computes in bfloat16 under autocast, and gives float32 leaves their gradients in float32", () => {
    const [query, key, value] = leaves(
      { lengths: [30], groups: 2, shared: 1, width: 16, window: 0, seed: 1 },
      "float32",
    );
    const output = autocast({}, () => packedAttention(query, key, value, [0, 30]));
    output.sum().backward();
    expect([output.dtype, query.grad!.dtype]).toEqual(["bfloat16", "float32"]);
  });

  test("scores far apart give no overflow", () => {
    const query = randn([40, 1, 16]).mul(1e3);
    const output = packedAttention(query, query, query, [0, 40]);
    expect(output.isfinite().all().item("bool")).toBe(true);
    // Each token's own key is the one it likes most.
    expect(difference(output.narrow(0, 0, 1), query.narrow(0, 0, 1))).toBe(0);
  });

  const good = {
    query: randn([5, 2, 16]),
    key: randn([5, 1, 16]),
    value: randn([5, 1, 16]),
    starts: [0, 2, 5],
  };
  test.each([
    [
      "units that are no multiple of 16",
      { query: randn([5, 2, 8]), key: randn([5, 1, 8]), value: randn([5, 1, 8]) },
      /multiple of 16, got 8/,
    ],
    ["starts that do not end with the tokens", { starts: [0, 4] }, /end with the tokens, 5/],
    ["an empty sequence", { starts: [0, 2, 2, 5] }, /must increase, got 2 after 2/],
    [
      "heads that can't be shared",
      { query: randn([5, 3, 16]), key: randn([5, 2, 16]), value: randn([5, 2, 16]) },
      /heads, 3, must be a multiple of those of key, 2/,
    ],
    [
      "another dtype",
      { value: randn([5, 1, 16], { dtype: "float64" }) },
      /value must be float32 or bfloat16/,
    ],
    ["two dtypes", { value: randn([5, 1, 16]).to({ dtype: "bfloat16" }) }, /value must have query's dtype/],
  ])("refuses %s", (_, changes, message) => {
    const { query, key, value, starts } = { ...good, ...changes };
    const run = (): unknown => packedAttention(query, key, value, starts);
    expect(run).toThrow(OperatorError);
    expect(run).toThrow(message);
  });

  test("refuses a second derivative", () => {
    const [query, key, value] = leaves(
      { lengths: [3], groups: 1, shared: 1, width: 16, window: 0, seed: 2 },
      "float32",
    );
    const output = packedAttention(query, key, value, [0, 3]);
    expect(() => output.sum().backward({ createGraph: true })).toThrow(
      /second derivatives are not implemented/,
    );
  });
});
