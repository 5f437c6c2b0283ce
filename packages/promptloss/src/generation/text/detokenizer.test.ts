import fc from "fast-check";
import { beforeAll, describe, expect } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { GOLDEN_FOLDERS } from "../../../test/tokenizers.ts";
import { loadTokenizer, type Tokenizer } from "../../data/tokenizer/index.ts";
import { Detokenizer } from "./detokenizer.ts";

/** All at once: what the decoder makes of both, without what it makes of the first. */
async function reference(tokenizer: Tokenizer, before: number[], ids: number[]): Promise<string> {
  const decode = (all: number[]) => tokenizer.decode(all, { skipSpecialTokens: true });
  return (await decode([...before, ...ids])).slice((await decode(before)).length);
}

async function pieces(tokenizer: Tokenizer, before: number[], ids: number[]): Promise<string[]> {
  const detokenizer = new Detokenizer(tokenizer, before);
  const found: string[] = [];
  for (const id of ids) found.push(await detokenizer.push(id));
  return [...found, await detokenizer.end()];
}

describe.each(Object.entries(GOLDEN_FOLDERS))("Detokenizer with %s", (_, folder) => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    if (folder !== undefined) tokenizer = await loadTokenizer(folder);
  });

  needs("shared", folder).test(`gives the continuation's text in whole characters`, async () => {
    const words = fc.string({
      unit: fc.constantFrom("a", "the ", " Lily", "é", "🙂", "日本", "\n", " ", "👩‍👩‍👧", "ß", "0"),
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(words, fc.double({ min: 0, max: 1, noNaN: true }), async (text, share) => {
        const ids = [...(await tokenizer.encodeWithPrefix(`Once${text}`))];
        // The first cut that leaves whole characters before it, as a prompt's text does.
        let cut = Math.max(1, Math.floor(share * ids.length));
        while ((await tokenizer.decode(ids.slice(0, cut))).endsWith("\ufffd")) cut++;
        const [before, rest] = [ids.slice(0, cut), ids.slice(cut)];
        const found = await pieces(tokenizer, before, rest);
        expect(found.join("")).toBe(await reference(tokenizer, before, rest));
        for (const piece of found) expect(piece).not.toContain("\ufffd");
      }),
      { numRuns: 60 },
    );
  });

  needs("shared", folder).test(`gives everything in the end, also of broken bytes`, async () => {
    const ids = [...(await tokenizer.encode("x🜚")).ids];
    const found = await pieces(tokenizer, [], ids.slice(0, -1));
    expect(found.join("")).toMatch(/^ ?x\ufffd+$/);
  });
});
