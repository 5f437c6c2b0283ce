// Tokens of log-probabilities: joined they are the text, and their bytes the text's, whatever it is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { GOLDEN_FOLDERS } from "../../test/tokenizers.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import type { TokenLogProbability } from "../generation/index.ts";
import { chatLogprobs, completionLogprobs } from "./logprobs.ts";

function tokensOf(ids: ArrayLike<number>): TokenLogProbability[] {
  return Array.from(ids, (id) => ({ id, logProbability: -1, top: [{ id, logProbability: -1 }] }));
}

describe.each(Object.entries(GOLDEN_FOLDERS))("%s", (_, folder) => {
  needs("shared", folder).test("random texts behind a prompt (the real ones need ../shared)", async () => {
    const tokenizer = await loadTokenizer(folder!);
    const prompt = "the sun is";
    const promptIds = await tokenizer.encodeWithPrefix(prompt);
    const kept = (text: string): boolean =>
      ![...tokenizer.specialTexts, "▁"].some((special) => text.includes(special));
    // Sentencepiece writes ▁ for spaces, and some tokenizers compose characters first.
    const anyText = fc
      .string({
        unit: fc.oneof(
          fc.constantFrom(" ", "\n", "the", " is"),
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
        ),
        maxLength: 12,
      })
      .map((text) => text.normalize("NFC"))
      .filter((text) => text !== "" && kept(text));
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const { ids } = (await tokenizer.encodeContinuationBatch([text]))[0]!;
        const answer = { promptIds, text };
        const completion = await completionLogprobs(tokenizer, tokensOf(ids), 1, answer);
        expect(completion.tokens.join("")).toBe(text);
        expect(completion.tokens).toHaveLength(ids.length);
        completion.text_offset.forEach((offset, i) => {
          expect([...completion.tokens.slice(0, i).join("")]).toHaveLength(offset);
        });
        const { content } = await chatLogprobs(tokenizer, tokensOf(ids), answer);
        expect(content.map(({ token }) => token).join("")).toBe(text);
        expect(Buffer.from(content.flatMap(({ bytes }) => [...bytes])).toString()).toBe(text);
        content.forEach(({ bytes, top_logprobs }, i) => {
          expect(bytes).toEqual([...tokenizer.bytesOf(ids[i]!)]);
          expect(top_logprobs[0]!.bytes).toEqual(bytes);
        });
      }),
      { numRuns: 60 },
    );
  });

  needs("shared", folder).test("random ids, up to any border of the text", async () => {
    const tokenizer = await loadTokenizer(folder!);
    const promptIds = await tokenizer.encodeWithPrefix("the sun is");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(tokenizer.vocabularySize - 1), { maxLength: 10 }),
        fc.nat(100),
        async (ids, share) => {
          const whole = (await completionLogprobs(tokenizer, tokensOf(ids), 0, { promptIds })).tokens;
          expect(whole).toHaveLength(ids.length);
          const text = whole.join("");
          const cut = text.slice(0, Math.floor((text.length * share) / 100));
          const { tokens } = await completionLogprobs(tokenizer, tokensOf(ids), 0, { promptIds, text: cut });
          expect(tokens.join("")).toBe(cut);
          const { content } = await chatLogprobs(tokenizer, tokensOf(ids), { promptIds, text: cut });
          expect(content.map(({ token }) => token)).toEqual(tokens);
        },
      ),
      { numRuns: 40 },
    );
  });
});

test("what can't come is a number in JSON, and parts of characters are bytes", async () => {
  const tokenizer = await loadTokenizer(GOLDEN_FOLDERS["tiny-bytes"]!);
  const { ids } = (await tokenizer.encodeContinuationBatch(["🌞"]))[0]!;
  expect(ids.length).toBeGreaterThan(1);
  const top = [{ id: ids[0]!, logProbability: Number.NEGATIVE_INFINITY }];
  const tokens = [{ id: tokenizer.idOf("a")!, logProbability: -1, top }];
  const { top_logprobs } = await completionLogprobs(tokenizer, tokens, 1);
  expect(top_logprobs).toEqual([{ "bytes:\\xf0": -9999 }]);
  const { content } = await chatLogprobs(tokenizer, tokens);
  expect(content[0]!.top_logprobs).toEqual([{ token: "bytes:\\xf0", logprob: -9999, bytes: [0xf0] }]);
});
