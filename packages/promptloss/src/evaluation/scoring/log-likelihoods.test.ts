// Shared and packed log-likelihoods against every sequence read alone, without cache, over the whole vocabulary.
import { noGrad, scope } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tinyGolden, tinyGoldenOf, tinyModel } from "../../../test/tiny-models.ts";
import { packSequences } from "../../models/index.ts";
import { logLikelihoods } from "./log-likelihoods.ts";
import { groupSequences, type ScoredSequence, sequenceOf } from "./sequences.ts";

const id = fc.integer({ min: 0, max: 100 });
function ids(maxLength: number) {
  return fc.array(id, { minLength: 1, maxLength }).map((list) => Int32Array.from(list));
}

/** Items of a context with choices, as tasks make them. */
const items = fc.array(fc.tuple(ids(12), fc.array(ids(5), { minLength: 1, maxLength: 4 })), {
  minLength: 1,
  maxLength: 5,
});

/** Sums over other shapes round differently in float32. */
const TOLERANCE = 2e-4;

describe.each(["llama", "gemma2", "gpt2", "phi3-longrope-short", "t5", "bart"])("%s", (name) => {
  const model = tinyModel(tinyGoldenOf(name));

  const alone = ({ input, targets }: ScoredSequence): number =>
    scope(() => {
      // An encoder reads the context, and the decoder what is scored.
      const splits = Int32Array.of(input.length - targets.length + 1);
      const logits = model.logits(model.forward({ ...packSequences([input]), splits })).double();
      const all = logits.sub(logits.logsumexp(-1, { keepdim: true }));
      const [tokens, vocabulary] = all.shape as [number, number];
      const values = all.toTypedArray("float64");
      return targets.reduce(
        (sum, target, k) => sum + values[(tokens - targets.length + k) * vocabulary + target]!,
        0,
      );
    });

  test("do not depend on what is scored together, nor in which order", () => {
    const order = fc.array(fc.nat(), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 80 }), order, (list, batchTokens, keys) => {
        const sequences = list.flatMap(([context, choices]) =>
          choices.map((continuation, i) => sequenceOf({ context, continuation }, i, 14)),
        );
        const expected = sequences.map(alone);
        const places = sequences.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
        const got = logLikelihoods(
          model,
          places.map((place) => sequences[place]!),
          { batchTokens },
        );
        places.forEach((place, i) => {
          expect(Math.abs(got[i]!.sum - expected[place]!)).toBeLessThan(TOLERANCE);
        });
      }),
      { numRuns: 15 },
    );
  });
});

test("choices share their context, unless they were cut differently", () => {
  const context = Int32Array.of(1, 2, 3, 4);
  const choices = [Int32Array.of(5), Int32Array.of(6, 7), Int32Array.of(8, 9, 10)];
  const grouped = (maxLength: number): number[] =>
    groupSequences(choices.map((continuation, i) => sequenceOf({ context, continuation }, i, maxLength))).map(
      ({ sequences }) => sequences.length,
    );
  expect(grouped(20)).toEqual([3]);
  expect(grouped(4)).toEqual([1, 1, 1]);
});

test("what is too long is cut from the left", () => {
  const { input, targets } = sequenceOf(
    { context: Int32Array.of(1, 2, 3, 4), continuation: Int32Array.of(5, 6) },
    0,
    3,
  );
  expect([[...input], [...targets]]).toEqual([
    [3, 4, 5],
    [5, 6],
  ]);
});

test("a model with a NaN gets an error, not a score", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const model = tinyModel(tinyGolden("llama"));
    noGrad(() => scope(() => model.parameter("model.norm.weight").narrow(0, 0, 1).fill_(bad)));
    const pair = { context: Int32Array.of(3, 1, 4), continuation: Int32Array.of(1, 5) };
    expect(() => logLikelihoods(model, [sequenceOf(pair, 0, 14)])).toThrow(
      "the log-likelihoods that the model gives are not finite numbers",
    );
    model.free();
  }
});
