// Encoders with decoders against transformers: test/python/tiny_models.py makes the goldens. And packed, cached and
// checkpointed ones against each sequence alone.
import { crossEntropy, fromTypedArray, scope, type Tensor } from "@promptloss/torch";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { tinyEncoderDecoders, tinyGolden, tinyModel } from "../../../test/tiny-models.ts";
import { TOKEN_CLASSES } from "../../data/example.ts";
import { PackedTokens } from "../../data/packing/index.ts";
import { CLASS_CODE, WeightedTokens } from "../../data/tokens/index.ts";
import { packLoss } from "../loss/pack-loss.ts";
import { KeyValueCache } from "./cache.ts";
import { type PackedSequences, packSequences } from "./input.ts";
import type { CausalLanguageModel } from "./model.ts";

/** Prompts and completions, each a sequence. */
function packSides(rows: readonly (readonly [prompt: number[], completion: number[]])[]): PackedSequences {
  const packed = packSequences(rows.map(([prompt, completion]) => [...prompt, ...completion]));
  return { ...packed, splits: Int32Array.from(rows, ([prompt]) => prompt.length) };
}

/** Logits of a row's completion and of what follows it, [completion + 1, vocabulary]. */
function alone(model: CausalLanguageModel, prompt: number[], completion: number[]): Tensor {
  const hidden = model.forward(packSides([[prompt, completion]]));
  return model.logits(hidden.narrow(0, prompt.length - 1, completion.length + 1));
}

function maxDifference(a: Tensor, b: Tensor): number {
  return scope(() => a.sub(b).abs().amax().item());
}

// Sums over other shapes round differently in float32; logits are around 1.
const TOLERANCE = 2e-5;

const id = fc.integer({ min: 3, max: 100 });
const sides = fc.array(
  fc.tuple(fc.array(id, { minLength: 1, maxLength: 14 }), fc.array(id, { minLength: 1, maxLength: 9 })),
  { minLength: 1, maxLength: 4 },
);

describe.each(tinyEncoderDecoders)("%s", (name) => {
  const golden = tinyGolden(name, "encoder-decoders");
  const { ids } = golden;
  const labels = golden.labels!;
  const model = tinyModel(golden);
  const input = packSides([[ids, labels]]);
  const predicting = (states: Tensor): Tensor =>
    model.logits(states.narrow(0, ids.length - 1, labels.length));
  afterAll(() => model.free());

  test("logits", () => {
    const logits = scope(() => predicting(model.forward(input)).toTypedArray("float32"));
    expect(logits.length).toBe(golden.logits.length);
    const range = Math.max(...golden.logits) - Math.min(...golden.logits);
    const off = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - golden.logits[i]!)), 0);
    // Both sum in float32, in different orders.
    expect(off / range).toBeLessThan(1e-4);
  });

  test("the encoder's end token is added where a prompt has none", () => {
    scope(() => {
      const short = model.forward(packSides([[ids.slice(0, -1), labels]]));
      const whole = predicting(model.forward(input));
      const got = model.logits(short.narrow(0, ids.length - 2, labels.length));
      expect(maxDifference(got, whole)).toBe(0);
    });
  });

  test.each([false, true])("loss and gradient norms, checkpointing %s", (checkpointing) => {
    for (const parameter of model.parameters.values()) parameter.grad = null;
    const loss = scope(() => {
      const scores = predicting(model.forward(input, { checkpointing }));
      const mean = crossEntropy(scores, fromTypedArray(BigInt64Array.from(labels, BigInt)));
      mean.backward();
      return mean.item();
    });
    expect(Math.abs(loss - golden.loss) / golden.loss).toBeLessThan(1e-4);
    for (const [key, expected] of Object.entries(golden.gradientNorms)) {
      const norm = scope(() => (model.parameter(key).grad as Tensor).double().norm().item());
      // Gradients that are 0 in exact arithmetic (a key's bias moves all scores alike) are rounding alone.
      if (expected < 1e-6) expect(norm, key).toBeLessThan(1e-5);
      else expect(Math.abs(norm - expected) / expected, key).toBeLessThan(1e-4);
    }
  });

  test("the loss of a pack", () => {
    const row = (encoded: number | undefined) =>
      WeightedTokens.of({
        ids: Int32Array.of(...ids, ...labels),
        classes: Uint8Array.from([
          ...ids.map(() => CLASS_CODE.input),
          ...labels.map(() => CLASS_CODE.completion),
        ]),
        weights: new Float32Array(ids.length + labels.length).fill(1),
        source: { file: "rows.json", row: 1 },
        encoded,
      });
    const factors = TOKEN_CLASSES.map(() => 1 / labels.length);
    const { loss, rows } = scope(() => {
      const found = packLoss(model, PackedTokens.of([row(ids.length)]), { factors, measureAll: true });
      return { loss: found.loss.item(), rows: found.rows };
    });
    expect(Math.abs(loss - golden.loss) / golden.loss).toBeLessThan(1e-5);
    expect(rows[0]!.prompt.tokens + rows[0]!.prompt.unmeasured).toBe(0);
    expect(Math.abs(rows[0]!.content.loss / labels.length - golden.loss) / golden.loss).toBeLessThan(1e-5);
  });

  test("packed sequences equal sequences alone", () => {
    fc.assert(
      fc.property(sides, (rows) =>
        scope(() => {
          const packed = model.logits(model.forward(packSides(rows)));
          let start = 0;
          for (const [prompt, completion] of rows) {
            const got = packed.narrow(0, start + prompt.length - 1, completion.length + 1);
            expect(maxDifference(got, alone(model, prompt, completion))).toBeLessThan(TOLERANCE);
            start += prompt.length + completion.length;
          }
        }),
      ),
      { numRuns: 8 },
    );
  });

  test("reading prompts and then their completions with a cache equals reading both at once", () => {
    fc.assert(
      fc.property(sides, fc.integer({ min: 1, max: 9 }), (rows, cut) =>
        scope(() => {
          using cache = new KeyValueCache(model.architecture, rows.length, 2);
          const whole = rows.map(([prompt, completion]) => alone(model, prompt, completion));
          const prompts = packSequences(rows.map(([prompt]) => prompt));
          const first = model.logits(model.forward(prompts, { cache }));
          rows.forEach((_, row) => {
            const got = first.narrow(0, prompts.starts[row + 1]! - 1, 1);
            expect(maxDifference(got, whole[row]!.narrow(0, 0, 1))).toBeLessThan(TOLERANCE);
          });
          // The last row twice, and in front: beams share prompts so.
          const order = [rows.length - 1, ...rows.keys()];
          cache.reorder(order);
          const edges = [0, cut, 9];
          for (const part of [1, 2]) {
            const pieces = order.map((row) => rows[row]![1].slice(edges[part - 1], edges[part]));
            if (pieces.some(({ length }) => length === 0)) return;
            const next = packSequences(pieces);
            const logits = model.logits(model.forward(next, { cache }));
            pieces.forEach(({ length }, i) => {
              const expected = whole[order[i]!]!.narrow(0, edges[part - 1]! + 1, length);
              expect(maxDifference(logits.narrow(0, next.starts[i]!, length), expected)).toBeLessThan(
                TOLERANCE,
              );
            });
          }
        }),
      ),
      { numRuns: 8 },
    );
  });
});
