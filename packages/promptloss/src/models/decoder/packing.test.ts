// Packed sequences and cached ones give what each sequence gives alone.
import { scope, type Tensor } from "@promptloss/torch";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { tinyGolden, tinyModel } from "../../../test/tiny-models.ts";
import { ModelInputError } from "../errors.ts";
import { KeyValueCache } from "./cache.ts";
import { packSequences } from "./input.ts";

const NAMES = [
  ...["llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3", "gpt2", "gpt-neox", "opt"],
  ...["smollm3-window", "olmo2", "qwen2-moe"],
];

const sequences = fc.array(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 18 }), {
  minLength: 1,
  maxLength: 4,
});

function maxDifference(a: Tensor, b: Tensor): number {
  return scope(() => a.sub(b).abs().amax().item());
}

// Sums over other shapes round differently in float32; logits are around 1.
const TOLERANCE = 2e-5;

describe.each(NAMES)("%s", (name) => {
  const model = tinyModel(tinyGolden(name));
  afterEach(() => {
    for (const parameter of model.parameters.values()) parameter.grad = null;
  });

  test("packed sequences equal sequences alone", () => {
    fc.assert(
      fc.property(sequences, (rows) =>
        scope(() => {
          const packed = model.logits(model.forward(packSequences(rows)));
          let start = 0;
          for (const ids of rows) {
            const alone = model.logits(model.forward(packSequences([ids])));
            expect(maxDifference(packed.narrow(0, start, ids.length), alone)).toBeLessThan(TOLERANCE);
            start += ids.length;
          }
        }),
      ),
      { numRuns: 12 },
    );
  });

  test("gradients of packed sequences are the sums of sequences alone", () => {
    const rows = [
      [5, 9, 17, 3, 60],
      [40, 2],
      [7, 7, 8, 21, 34, 55, 89, 1, 4],
    ];
    const gradients = (batches: number[][][]): Map<string, Tensor> => {
      for (const parameter of model.parameters.values()) parameter.grad = null;
      // Of logits: a norm at the end would hold its squares' sum still.
      for (const batch of batches)
        scope(() =>
          model
            .logits(model.forward(packSequences(batch)))
            .square()
            .sum()
            .backward(),
        );
      return new Map([...model.parameters].flatMap(([key, { grad }]) => (grad ? [[key, grad.clone()]] : [])));
    };
    const packed = gradients([rows]);
    const alone = gradients(rows.map((row) => [row]));
    expect(packed.size).toBeGreaterThan(5);
    for (const [key, gradient] of packed) {
      const size = Math.max(1, gradient.abs().amax().item());
      expect(maxDifference(gradient, alone.get(key)!) / size, key).toBeLessThan(1e-5);
    }
  });

  test("reading in parts with a cache equals reading at once", () => {
    const cuts = fc.array(fc.nat({ max: 17 }), { maxLength: 3 });
    fc.assert(
      fc.property(sequences, cuts, (rows, at) =>
        scope(() => {
          using cache = new KeyValueCache(model.architecture, rows.length, 2);
          const whole = rows.map((ids) => model.logits(model.forward(packSequences([ids]))));
          const edges = [0, ...at.toSorted((a, b) => a - b), 18];
          for (let part = 1; part < edges.length; part++) {
            const from = rows.map((ids) => Math.min(edges[part - 1]!, ids.length - 1));
            const to = rows.map((ids, row) => Math.max(from[row]! + 1, Math.min(edges[part]!, ids.length)));
            // Every sequence takes part in each call: those that are through read their last token again.
            rows.forEach((_, row) => {
              if (cache.lengths[row] !== from[row]) cache.truncate(from[row]!, { row });
            });
            const input = packSequences(rows.map((ids, row) => ids.slice(from[row], to[row])));
            const logits = model.logits(model.forward(input, { cache }));
            rows.forEach((_, row) => {
              const count = to[row]! - from[row]!;
              const got = logits.narrow(0, input.starts[row]!, count);
              expect(maxDifference(got, whole[row]!.narrow(0, from[row]!, count))).toBeLessThan(TOLERANCE);
            });
          }
        }),
      ),
      { numRuns: 20 },
    );
  });

  test("reordered caches continue the sequences they hold", () => {
    scope(() => {
      using cache = new KeyValueCache(model.architecture, 2);
      model.forward(
        packSequences([
          [5, 6, 7],
          [8, 9, 10, 11, 12, 13, 14],
        ]),
        { cache },
      );
      cache.reorder([1, 0, 1]);
      expect(cache.lengths).toEqual([7, 3, 7]);
      const got = model.forward(packSequences([[20], [21], [22]]), { cache });
      const rows = [
        [8, 9, 10, 11, 12, 13, 14, 20],
        [5, 6, 7, 21],
        [8, 9, 10, 11, 12, 13, 14, 22],
      ];
      rows.forEach((ids, row) => {
        const alone = model.forward(packSequences([ids])).narrow(0, ids.length - 1, 1);
        expect(maxDifference(got.narrow(0, row, 1), alone)).toBeLessThan(TOLERANCE);
      });
    });
  });
});

describe("inputs that do not fit", () => {
  const model = tinyModel(tinyGolden("gpt2"));
  const refused = (run: () => unknown, message: RegExp): void => {
    expect(() => scope(run)).toThrow(ModelInputError);
    expect(() => scope(run)).toThrow(message);
  };

  test("are refused by name", () => {
    refused(() => model.forward(packSequences([])), /no tokens/);
    refused(() => model.forward(packSequences([[1], []])), /sequence 1 has 0 tokens/);
    refused(
      () => model.forward(packSequences([[1, 101]])),
      /token 1 has id 101, outside the vocabulary of 101/,
    );
    refused(() => model.forward(packSequences([new Array(65).fill(3)])), /65 tokens.*end at 64/);
    refused(() => model.forward({ ids: Int32Array.of(1, 2), starts: Int32Array.of(0, 1) }), /starts/);
    using cache = new KeyValueCache(model.architecture, 3);
    refused(() => model.forward(packSequences([[1]]), { cache }), /cache holds 3 sequences, got 1/);
  });

  test("a cache across the border of LongRoPE is refused", () => {
    const long = tinyModel(tinyGolden("phi3-longrope-long"));
    using cache = new KeyValueCache(long.architecture, 1);
    scope(() => long.forward(packSequences([new Array(16).fill(3)]), { cache }));
    refused(() => long.forward(packSequences([[4]]), { cache }), /at 17 tokens the frequencies/);
  });
});
