import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lossTotals } from "../../loss/normalization.ts";
import type { TOKEN_CLASSES } from "../example.ts";
import { IGNORE_INDEX, PackedTokens } from "../packing/index.ts";
import { seededDraw } from "../packing/random.ts";
import { CLASS_CODE, WeightedTokens } from "./index.ts";
import {
  corrupted,
  hasSeveralCompletions,
  MEAN_SPAN,
  NOISE_DENSITY,
  noiseSpans,
  promptLength,
} from "./prompt-objective.ts";

const SOURCE = { file: "rows.json", row: 1 };
const SENTINELS = Array.from({ length: 12 }, (_, i) => 1000 - i);
const END = 1;

/** A prompt of ids 10, 11, … in two classes, and a completion with its end. */
function rowOf(prompt: number, completion = 3): WeightedTokens {
  const ids = Int32Array.from({ length: prompt + completion }, (_, i) => 10 + i);
  const classOf = (i: number): number => {
    if (i < prompt) return i % 4 === 0 ? CLASS_CODE.input : CLASS_CODE.instruction;
    return i === prompt + completion - 1 ? CLASS_CODE.end : CLASS_CODE.completion;
  };
  const classes = Uint8Array.from(ids, (_, i) => classOf(i));
  const weights = Float32Array.from(ids, (_, i) => (i < prompt ? 0.25 + (i % 4) / 8 : 1));
  return WeightedTokens.of({ ids, classes, weights, source: SOURCE });
}

const lengths = fc.integer({ min: 2, max: 400 });
const seeds = fc.integer({ min: 0, max: 1e6 });

describe("corrupted prompts", () => {
  test("hold the prompt, each span once behind its sentinel, with its classes and weights", () => {
    fc.assert(
      fc.property(lengths, seeds, (length, seed) => {
        const row = rowOf(length);
        const found = corrupted(row, { sentinels: SENTINELS, endId: END }, seededDraw(seed))!;
        const encoder = found.ids.subarray(0, found.encoded);
        const decoder = [...found.ids.subarray(found.encoded)];
        expect(decoder.pop()).toBe(END);
        const spanBehind = (sentinel: number): number[] => {
          const from = decoder.indexOf(sentinel) + 1;
          const next = decoder.findIndex((id, i) => i >= from && id > 500);
          return decoder.slice(from, next);
        };
        const whole = [...encoder].flatMap((id) => (id > 500 ? spanBehind(id) : [id]));
        expect(whole).toEqual([...row.ids.subarray(0, length)]);
        // Sentinels in order, and one more at the end.
        const marks = decoder.filter((id) => id > 500);
        expect(marks).toEqual(SENTINELS.slice(0, marks.length));
        expect([...encoder].filter((id) => id > 500)).toEqual(marks.slice(0, -1));
        expect(decoder.at(-1)).toBe(marks.at(-1));
        found.ids.forEach((id, i) => {
          const isOwn = id >= 10 && id <= 500;
          expect(found.classes[i]).toBe(isOwn ? row.classes[id - 10] : CLASS_CODE.template);
          if (i < found.encoded!) expect(found.weights[i]).toBe(0);
          else if (isOwn) expect(found.weights[i]).toBe(row.weights[id - 10]);
          else expect(found.weights[i]).toBeGreaterThan(0);
        });
      }),
    );
  });

  test("lose so many tokens in so many spans as T5's", () => {
    fc.assert(
      fc.property(lengths, seeds, (length, seed) => {
        const spans = noiseSpans(length, 99, seededDraw(seed));
        const lost = spans.reduce((sum, { start, end }) => sum + end - start, 0);
        const wanted = Math.max(1, Math.round(length * NOISE_DENSITY));
        expect(lost).toBe(wanted);
        expect(spans.length).toBe(Math.min(Math.max(1, Math.round(wanted / MEAN_SPAN)), wanted));
        spans.forEach(({ start, end }, i) => {
          expect(start).toBeGreaterThan(i === 0 ? 0 : spans[i - 1]!.end);
          expect(end).toBeGreaterThan(start);
        });
      }),
    );
  });

  test("each way to cut a length is drawn equally often", () => {
    const counts = new Map<string, number>();
    const draw = seededDraw(3);
    const runs = 6000;
    for (let i = 0; i < runs; i++) {
      const [first] = noiseSpans(40, 99, draw);
      const key = String(first!.end - first!.start);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    // Six tokens in two spans: five ways.
    expect([...counts.keys()].sort()).toEqual(["1", "2", "3", "4", "5"]);
    for (const count of counts.values()) expect(Math.abs(count / (runs / 5) - 1)).toBeLessThan(0.15);
  });

  test("are not made of prompts of a token", () => {
    const make = (row: WeightedTokens) => corrupted(row, { sentinels: SENTINELS, endId: END }, seededDraw(1));
    expect(make(rowOf(1))).toBeUndefined();
    expect(make(rowOf(0))).toBeUndefined();
  });
});

test("where a prompt ends, and whether another follows its completion", () => {
  const of = (...names: (typeof TOKEN_CLASSES)[number][]) =>
    Uint8Array.from(names, (name) => CLASS_CODE[name]);
  expect(promptLength(of("system", "input", "completion", "end"))).toBe(2);
  expect(promptLength(of("system"))).toBe(1);
  expect(hasSeveralCompletions(of("input", "completion", "end", "template"))).toBe(false);
  expect(hasSeveralCompletions(of("input", "completion", "input", "completion"))).toBe(true);
});

test("tokens that only an encoder reads are in no total, and nothing predicts them", () => {
  const row = rowOf(5).withEncoded(5);
  expect(row.trainedCount).toBe(3);
  const totals = lossTotals([row]);
  expect(totals.tokens.reduce((a, b) => a + b, 0)).toBe(3);
  expect(totals.weight.reduce((a, b) => a + b, 0)).toBe(3);
  expect(totals.longest).toBe(4);
  const pack = PackedTokens.of([row, rowOf(2)]);
  expect([...pack.splits]).toEqual([5, 2]);
  const { targets, weights } = pack.shifted();
  const none = IGNORE_INDEX;
  expect([...targets]).toEqual([none, none, none, none, 15, 16, 17, none, 11, 12, 13, 14, none]);
  expect([...weights.subarray(0, 8)]).toEqual([0, 0, 0, 0, 1, 1, 1, 0]);
  expect(pack.row(0).encoded).toBe(5);
});
