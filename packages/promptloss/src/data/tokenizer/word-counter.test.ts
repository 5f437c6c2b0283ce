// Counting word by word against encoding every text whole, which is slow and obviously right.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { sharedPath } from "../../../test/shared.ts";
import { metaspace, NORMALIZER, tokenizerVariant } from "../../../test/tokenizer-variant.ts";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { loadTokenizer } from "./index.ts";
import { wordRules } from "./word-rules.ts";

const pieces = JSON.parse(readFileSync(join(TINY_PIECES, "tokenizer.json"), "utf8"));

/** Words that come again, all that may stand between them, added tokens, ▁, and any characters. */
const text = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("the", "river", "Is", "wide.", "é", "猫", "x") },
      { weight: 6, arbitrary: fc.constantFrom(" ", "  ", "   ", "\n", "\n\n", "\t", ", ") },
      { weight: 1, arbitrary: fc.constantFrom("</s>", "<unk>", "▁", "▁the", "a▁") },
      { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 4 }) },
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

const FOLDERS: Readonly<Record<string, () => Promise<string> | string>> = {
  "pieces of the repository": () => TINY_PIECES,
  "bytes of the repository": () => TINY_BYTES,
  "▁ by the normalizer": () => tokenizerVariant(NORMALIZER),
  "▁ always, split": () => tokenizerVariant(metaspace("always", true)),
  "no ▁ before texts": () => tokenizerVariant(metaspace("never", false)),
};

const stories = sharedPath("models", "stories15M");

describe.each([...Object.entries(FOLDERS), ["stories15M", () => stories] as const])("%s", (name, find) => {
  needs("shared", name === "stories15M" ? stories : true).test("counts as encoding counts", async () => {
    const folder = (await find())!;
    const tokenizer = await loadTokenizer(folder);
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), async (texts) => {
        const encoded = await tokenizer.encodeBatch(texts);
        const counts = await tokenizer.countBatch(texts);
        expect([...counts]).toEqual(encoded.map(({ ids }) => ids.length));
      }),
      { numRuns: 300 },
    );
  });
});

test("counts of many texts at once do not mix", async () => {
  const tokenizer = await loadTokenizer(TINY_PIECES);
  const batches = Array.from({ length: 5 }, (_, batch) =>
    Array.from({ length: 700 }, (_, i) => `word${(i * 7) % 400} of ${batch % 2} `.repeat(1 + (i % 3)).trim()),
  );
  const counts = await Promise.all(batches.map((texts) => tokenizer.countBatch(texts)));
  for (const [batch, texts] of batches.entries()) {
    const encoded = await tokenizer.encodeIds(texts);
    expect([...counts[batch]!]).toEqual(encoded.map((ids) => ids.length));
  }
});

describe("wordRules", () => {
  const changed = (model: object, rest: object = {}): object => ({
    ...pieces,
    ...rest,
    model: { ...pieces.model, ...model },
  });

  test("are found where words are independent", () => {
    expect(wordRules(pieces)?.prefix).toBe("where-missing");
    expect(wordRules(changed({}, NORMALIZER))?.prefix).toBe("always");
  });

  test.each([
    ["a token reaches into the next word", changed({ vocab: { ...pieces.model.vocab, "a▁b": 900 } })],
    ["words are not merged by pairs", changed({ type: "Unigram" })],
    ["merging is random", changed({ dropout: 0.1 })],
    ["whole words come before merges", changed({ ignore_merges: true })],
    ["words have a suffix", changed({ end_of_word_suffix: "</w>" })],
    ["▁ is no token", changed({ vocab: { a: 0, b: 1 } })],
    ["text is normalized", changed({}, { normalizer: { type: "NFC" } })],
    ["words are found otherwise", changed({}, { pre_tokenizer: { type: "Whitespace" } })],
    ["the file is no tokenizer", { model: 3 }],
  ])("are none where %s", (_, json) => {
    expect(wordRules(json)).toBeUndefined();
  });
});
