import { fromTypedArray, scope } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idsOf } from "./chosen.ts";
import { type DrawSettings, drawTokens } from "./draw.ts";
import { uniformDraw } from "./random.ts";
import { penalizeRepeats } from "./scores.ts";

/** Probabilities as the words say, one token after the other, in float64. */
function reference(
  scores: readonly number[],
  { temperature, topK, topP }: DrawSettings,
): Map<number, number> {
  const sorted = scores
    .map((score, id) => ({ id, weight: Math.exp((score - Math.max(...scores)) / temperature) }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, topK > 0 ? topK : scores.length);
  const all = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const kept = new Map<number, number>();
  let reached = 0;
  for (const { id, weight } of sorted) {
    if (reached >= topP) break;
    kept.set(id, weight / all);
    reached += weight / all;
  }
  return new Map([...kept].map(([id, weight]) => [id, weight / reached]));
}

function draw(scores: readonly (readonly number[])[], uniforms: readonly number[], settings: DrawSettings) {
  return scope(() => {
    const rows = fromTypedArray(Float32Array.from(scores.flat()), [scores.length, scores[0]!.length]);
    return [...idsOf(drawTokens(rows, Float64Array.from(uniforms), settings))];
  });
}

const settings = fc.record({
  temperature: fc.double({ min: 0.1, max: 3, noNaN: true }),
  topK: fc.nat(8),
  topP: fc.constantFrom(0.05, 0.4, 0.77, 0.95, 1),
});

describe("drawTokens", () => {
  it("takes the likeliest at temperatures that float32 has no number for", () => {
    for (const temperature of [1e-30, 1e-38, 1e-45, 1e-300, Number.MIN_VALUE])
      for (const topP of [1, 0.5])
        expect(draw([[-3, 7, 2.5, 6.99]], [0.99], { temperature, topK: 0, topP })).toEqual([1]);
  });

  it("draws each token as often as its probability says", () => {
    fc.assert(
      // Whole numbers apart, so that no two tokens tie; a tie's order is libtorch's choice.
      fc.property(
        fc.uniqueArray(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 9 }),
        settings,
        (scores, given) => {
          const expected = reference(scores, given);
          const count = 1000;
          const uniforms = Array.from({ length: count }, (_, i) => (i + 0.5) / count);
          const ids = draw(
            uniforms.map(() => scores),
            uniforms,
            given,
          );
          const shares = new Map<number, number>();
          for (const id of ids) shares.set(id, (shares.get(id) ?? 0) + 1 / count);
          for (const id of shares.keys()) expect([...expected.keys()]).toContain(id);
          // An even grid of 1,000 numbers hits a stretch of length p between 1,000p − 1 and 1,000p + 1 times; one more
          // where a sum of float32 scores falls to the other side.
          for (const [id, share] of expected)
            expect(Math.abs((shares.get(id) ?? 0) - share)).toBeLessThan(2.1 / count);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never draws a token that was cut off, even for the largest number below 1", () => {
    const scores = [0, 3, 1, Number.NEGATIVE_INFINITY];
    const largest = 1 - 2 ** -53;
    expect(draw([scores], [largest], { temperature: 1, topK: 0, topP: 1 })).toEqual([2]);
    expect(draw([scores], [largest], { temperature: 1, topK: 0, topP: 0.9 })).toEqual([2]);
    expect(draw([scores], [largest], { temperature: 1, topK: 2, topP: 0.5 })).toEqual([1]);
  });
});

describe("uniformDraw", () => {
  it("spreads the first numbers of neighboring seeds over the whole range", () => {
    const firsts = Array.from({ length: 1000 }, (_, seed) => uniformDraw(seed)()).sort((a, b) => a - b);
    // Kolmogorov and Smirnov: beyond 1.95 / √1000 in one of a thousand sets of true random numbers.
    const distance = Math.max(...firsts.map((value, i) => Math.abs(value - (i + 0.5) / 1000)));
    expect(distance).toBeLessThan(1.95 / Math.sqrt(1000));
  });
});

describe("penalizeRepeats", () => {
  it("lowers the scores of seen tokens, once each", () => {
    scope(() => {
      const scores = fromTypedArray(Float32Array.of(2, -2, 4, 1, 1, 1), [2, 3]);
      const result = penalizeRepeats(scores, [new Set([0, 1]), new Set([2])], 2);
      expect([...result.toTypedArray("float32")]).toEqual([1, -4, 4, 1, 1, 0.5]);
    });
  });
});
