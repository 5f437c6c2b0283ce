import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { TOKEN_CLASSES } from "../example.ts";
import { RenderingBuilder } from "../templates/index.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { CLASS_CODE } from "./index.ts";
import { spanOf, writeClasses } from "./token-classes.ts";

describe("spanOf", () => {
  const spans = [
    { start: 0, end: 4, class: "template" },
    { start: 4, end: 5, class: "instruction" },
    { start: 5, end: 9, class: "completion" },
  ] as const;

  test.each([
    [0, 2, 0],
    [3, 5, 0],
    [2, 5, 0],
    [4, 7, 2],
    [4, 4, 1],
    [3, 8, 2],
    [8, 9, 2],
    [9, 9, 2],
  ])("of %d to %d is %d", (start, end, expected) => {
    expect(spanOf(spans, start, end)).toBe(expected);
  });
});

describe("writeClasses", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
    fc.constantFrom(" the", "the answer", "😀", "\n\n", ".", " "),
  );
  const spans = fc.array(
    fc.tuple(text, fc.constantFrom(...TOKEN_CLASSES), fc.option(fc.constantFrom("weight", "scale"))),
    {
      minLength: 1,
      maxLength: 8,
    },
  );

  test.each([TINY_BYTES, TINY_PIECES])("agrees with looking at every token: %s", async (folder) => {
    const tokenizer = await loadTokenizer(folder);
    await fc.assert(
      fc.asyncProperty(spans, async (parts) => {
        const builder = new RenderingBuilder();
        for (const [words, name, own] of parts)
          builder.append(words, name, own === null ? {} : { [own]: 0.5 });
        const rendering = builder.build(false);
        const encoded = await tokenizer.encode(rendering.text);
        const { ids, offsets } = encoded;
        const classes = new Uint8Array(ids.length).fill(99);
        const partWeights = new Float32Array(ids.length).fill(Number.NaN);
        const scales = new Float32Array(ids.length).fill(1);
        const piece = { ids, encoded, firstToken: 0, shift: 0 };
        writeClasses(rendering.spans, piece, { classes, partWeights, scales }, 0);
        for (let token = 0; token < ids.length; token++) {
          const span =
            rendering.spans[spanOf(rendering.spans, offsets[2 * token]!, offsets[2 * token + 1]!)]!;
          expect(classes[token]).toBe(CLASS_CODE[span.class]);
          expect(partWeights[token]).toBe(span.weight ?? Number.NaN);
          expect(scales[token]).toBe(span.scale ?? 1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
