// Attention to a cache against packed attention of the whole sequences, which has a reference of its own.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cachedAttention,
  cat,
  type DType,
  full,
  manualSeed,
  noGrad,
  OperatorError,
  packedAttention,
  randn,
  scope,
  type Tensor,
} from "../index.ts";

const sequences = fc.array(
  fc.record({
    past: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })),
    // Up to four queries are taken one by one, 32 are a block.
    queries: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 30, max: 70 })),
  }),
  { minLength: 1, maxLength: 4 },
);

const cases = fc.record({
  sequences,
  groups: fc.integer({ min: 1, max: 3 }),
  shared: fc.integer({ min: 1, max: 3 }),
  width: fc.constantFrom(16, 48, 64, 144),
  window: fc.constantFrom(0, 1, 5, 40),
  dtype: fc.constantFrom<DType>("float32", "bfloat16"),
  seed: fc.nat(1e6),
});

function startsOf(lengths: readonly number[]): number[] {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return starts;
}

describe("cachedAttention", () => {
  test("is the end of the whole sequences' attention", () => {
    fc.assert(
      fc.property(cases, ({ sequences, groups, shared, width, window, dtype, seed }) =>
        scope(() => {
          manualSeed(seed);
          const lengths = sequences.map(({ past, queries }) => past + queries);
          const starts = startsOf(lengths);
          const make = (heads: number): Tensor => randn([starts.at(-1)!, heads, width]).to({ dtype });
          const [query, key, value] = [make(groups * shared), make(groups), make(groups)];
          // Numbers that are none fill the cache behind each sequence.
          const capacity = Math.max(...lengths) + 3;
          const cached = (from: Tensor): Tensor => {
            const cache = full([lengths.length, groups, capacity, width], Number.NaN, { dtype });
            lengths.forEach((length, row) => {
              const own = from.narrow(0, starts[row]!, length).transpose(0, 1);
              cache.select(0, row).narrow(1, 0, length).copy_(own);
            });
            return cache;
          };
          const ends = (whole: Tensor): Tensor =>
            cat(
              sequences.map(({ past, queries }, row) => whole.narrow(0, starts[row]! + past, queries)),
              0,
            );
          const found = cachedAttention(
            ends(query),
            cached(key).narrow(2, 0, capacity - 1),
            cached(value).narrow(2, 0, capacity - 1),
            startsOf(sequences.map(({ queries }) => queries)),
            sequences.map(({ past }) => past),
            { window },
          );
          const expected = ends(packedAttention(query, key, value, starts, { window }));
          expect(found.dtype).toBe(dtype);
          // Sums in another order; in bfloat16 both are rounded once, which may be to neighbors.
          const difference = found.double().sub(expected.double()).abs().amax().item();
          expect(difference).toBeLessThan(dtype === "float32" ? 1e-5 : 2 ** -5);
        }),
      ),
      { numRuns: 60 },
    );
  });

  test("refuses what does not fit, by name", () => {
    const [query, keys] = [randn([2, 4, 16]), randn([2, 2, 5, 16])];
    const call = (change: {
      query?: Tensor;
      keys?: Tensor;
      values?: Tensor;
      starts?: number[];
      pasts?: number[];
    }): Tensor =>
      cachedAttention(
        change.query ?? query,
        change.keys ?? keys,
        change.values ?? change.keys ?? keys,
        change.starts ?? [0, 1, 2],
        change.pasts ?? [3, 0],
      );
    expect(call({}).shape).toEqual([2, 4, 16]);
    const wrong: [Parameters<typeof call>[0], RegExp][] = [
      [{ query: randn([2, 64]) }, /query must have shape/],
      [{ query: randn([2, 3, 16]) }, /query's heads, 3, must be a multiple of those of keys, 2/],
      [{ query: randn([2, 4, 24]) }, /units must be a multiple of 16/],
      [{ keys: randn([2, 2, 5, 32]) }, /keys must have query's units, 16, got 32/],
      [{ keys: keys.bfloat16() }, /keys must have query's dtype/],
      [{ keys: randn([2, 2, 16, 5]).transpose(2, 3) }, /keys' units must lie one after another/],
      [{ values: randn([2, 2, 6, 16]) }, /values must have the keys' shape/],
      [{ starts: [0, 2] }, /name 2 sequences/],
      [{ starts: [0, 1, 3] }, /end with the tokens, 2/],
      [{ starts: [0, 0, 2] }, /starts must increase/],
      [{ pasts: [5, 0] }, /sequence 0 would have 6 tokens, of which 5 were there, in a cache of 5/],
    ];
    for (const [change, message] of wrong) {
      expect(() => call(change), String(message)).toThrow(OperatorError);
      expect(() => call(change)).toThrow(message);
    }
    const leaf = query.detach();
    leaf.requiresGrad = true;
    expect(() => call({ query: leaf })).toThrow(/cached_attention: has no derivative/);
    expect(noGrad(() => call({ query: leaf })).shape).toEqual([2, 4, 16]);
  });
});
