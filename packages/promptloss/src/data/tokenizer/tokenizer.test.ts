import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { metaspace, NORMALIZER, tokenizerVariant } from "../../../test/tokenizer-variant.ts";
import { GOLDEN_FOLDERS, readGolden, TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { readRules } from "../../../test/transformers-rules.ts";
import { loadTokenizer, TokenizerError } from "./index.ts";

/** Code points to UTF-16 units, the slow and obvious way. */
function unitsOf(text: string, codePoints: number): number {
  return Array.from(text).slice(0, codePoints).join("").length;
}

function plain(ids: Int32Array): number[] {
  return [...ids];
}

describe.each(Object.entries(GOLDEN_FOLDERS))("%s against transformers", (name, folder) => {
  needs("shared", folder).test("ids, offsets, special tokens and decoded text", async () => {
    const tokenizer = await loadTokenizer(folder!);
    const { texts } = readGolden(name);
    const encoded = await tokenizer.encodeBatch(texts.map(({ text }) => text));
    for (const [i, golden] of texts.entries()) {
      expect(plain(encoded[i]!.ids), golden.text).toEqual(golden.ids);
      const offsets = golden.offsets.flat().map((offset) => unitsOf(golden.text, offset));
      expect(plain(encoded[i]!.offsets), golden.text).toEqual(offsets);
      const dressed = await tokenizer.encodeWithPrefix(golden.text);
      expect(plain(dressed), golden.text).toEqual(golden.withSpecial);
      expect(await tokenizer.decode(golden.ids)).toBe(golden.decoded);
    }
    const counts = await tokenizer.countBatch(texts.map(({ text }) => text));
    expect(plain(counts)).toEqual(texts.map(({ ids }) => ids.length));
  });
});

describe("loadTokenizer", () => {
  test("finds special tokens, BOS rule and stop ids", async () => {
    const pieces = await loadTokenizer(TINY_PIECES);
    expect(pieces.special).toEqual({ bos: "<s>", eos: "</s>", pad: undefined, unk: "<unk>" });
    expect(plain(pieces.prefixIds)).toEqual([1]);
    expect([...pieces.stopIds]).toEqual([2]);
    const bytes = await loadTokenizer(TINY_BYTES);
    expect(plain(bytes.prefixIds)).toEqual([]);
    const stops = [bytes.idOf("<|endoftext|>"), bytes.idOf("<|im_end|>")];
    expect([...bytes.stopIds].sort()).toEqual(stops.sort());
    expect(bytes.chatTemplate).toContain("<|im_start|>");
  });

  test("the hash is stable, and changes with the BOS rule", async () => {
    const first = await loadTokenizer(TINY_PIECES);
    expect((await loadTokenizer(TINY_PIECES)).hash).toBe(first.hash);
    const changed = await loadTokenizer(await tokenizerVariant({ post_processor: null }));
    expect(plain(changed.prefixIds)).toEqual([]);
    expect(changed.hash).not.toBe(first.hash);
  });

  test("add_bos_token has no say where tokenizer.json is there, as in transformers 5", async () => {
    const { bos } = readRules();
    expect(bos.length).toBeGreaterThan(4);
    for (const { tokenizer: name, add_bos_token, post_processor, text, ids } of bos) {
      const source = name === "tiny-pieces" ? TINY_PIECES : TINY_BYTES;
      const config = JSON.parse(await readFile(join(source, "tokenizer_config.json"), "utf8"));
      const folder = await copyOf(source, { ...config, add_bos_token });
      if (!post_processor) {
        const json = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8"));
        await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...json, post_processor: null }));
      }
      const loaded = await loadTokenizer(folder);
      expect(plain(await loaded.encodeWithPrefix(text)), JSON.stringify([name, add_bos_token])).toEqual(ids);
    }
  });

  test("a truncation saved in tokenizer.json does not cut texts", async () => {
    const folder = await copyOf(TINY_PIECES, { bos_token: "<s>", eos_token: "</s>" });
    const json = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8"));
    const truncation = { direction: "Right", max_length: 2, strategy: "LongestFirst", stride: 0 };
    const padding = {
      strategy: { Fixed: 9 },
      direction: "Right",
      pad_to_multiple_of: null,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: "<unk>",
    };
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...json, truncation, padding }));
    const [cut, whole] = [await loadTokenizer(folder), await loadTokenizer(TINY_PIECES)];
    for (const text of ["a", "the river is wide, slow and green"]) {
      expect((await cut.encode(text)).ids).toEqual((await whole.encode(text)).ids);
    }
  });

  test("refuses folders that cannot work, and names the file", async () => {
    const empty = await mkdtemp(join(tmpdir(), "tokenizer-"));
    await expect(loadTokenizer(empty)).rejects.toThrow(/tokenizer\.json: no such file/);
    await writeFile(join(empty, "tokenizer.json"), '{"model":');
    await expect(loadTokenizer(empty)).rejects.toThrow(/tokenizer\.json: is not JSON/);
    await writeFile(join(empty, "tokenizer.json"), '{"model": {"type": "Nothing"}}');
    await expect(loadTokenizer(empty)).rejects.toThrow(/is not a tokenizer/);
    const moved = await copyOf(TINY_PIECES, { added_tokens_decoder: { "5": { content: "</s>" } } });
    await expect(loadTokenizer(moved)).rejects.toThrow(/token 5, "<\/s>" is token 2 in tokenizer.json/);
    const foreign = await copyOf(TINY_PIECES, { eos_token: "<|foreign|>" });
    await expect(loadTokenizer(foreign)).rejects.toThrow(
      /eos_token "<\|foreign\|>" is not in the vocabulary/,
    );
    await expect(loadTokenizer(foreign)).rejects.toBeInstanceOf(TokenizerError);
  });
});

async function copyOf(folder: string, config: object): Promise<string> {
  const target = await mkdtemp(join(tmpdir(), "tokenizer-"));
  await writeFile(join(target, "tokenizer.json"), await readFile(join(folder, "tokenizer.json")));
  await writeFile(join(target, "tokenizer_config.json"), JSON.stringify(config));
  return target;
}

describe("encodeContinuationBatch", () => {
  test("leaves out BOS and sentencepiece's space", async () => {
    const tokenizer = await loadTokenizer(TINY_PIECES);
    const tokens = async (text: string): Promise<string[]> =>
      plain((await tokenizer.encodeContinuationBatch([text]))[0]!.ids).map((id) => tokenizer.tokenOf(id)!);
    expect((await tokens("The river"))[0]).toBe("The");
    expect((await tokens(" the river"))[0]).toBe("▁the");
    expect(await tokens("")).toEqual([]);
  });

  test("a text that merges with one guard is encoded behind another", async () => {
    const folder = await copyOf(TINY_BYTES, { eos_token: "<|endoftext|>" });
    const json = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8"));
    Object.assign(json.model.vocab, { ĊĊ: Object.keys(json.model.vocab).length });
    json.model.merges.push(["Ċ", "Ċ"]);
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify(json));
    const tokenizer = await loadTokenizer(folder);
    expect((await tokenizer.encode("\n\n")).ids).toHaveLength(1);
    const [newline] = await tokenizer.encodeContinuationBatch(["\n"]);
    expect(await tokenizer.decode(newline!.ids)).toBe("\n");
  });

  test.each([TINY_BYTES, TINY_PIECES])(
    "gives ids that decode to the text, with its offsets: %s",
    async (folder) => {
      const tokenizer = await loadTokenizer(folder);
      // Sentencepiece writes a space as ▁, so that it gives a ▁ of the text back as a space.
      const anyText = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("▁"));
      await fc.assert(
        fc.asyncProperty(fc.array(anyText, { maxLength: 8 }), async (texts) => {
          const anchor = "x";
          const anchorIds = (await tokenizer.encode(anchor)).ids;
          const encoded = await tokenizer.encodeContinuationBatch(texts);
          for (const [i, { ids, encoded: whole, firstToken, guardLength }] of encoded.entries()) {
            expect(await tokenizer.decode([...anchorIds, ...ids])).toBe(anchor + texts[i]!);
            expect(plain(whole.ids.slice(firstToken))).toEqual(plain(ids));
            if (ids.length > 0) expect(whole.rangeOf(firstToken)[0]).toBe(guardLength);
          }
        }),
        { numRuns: 60 },
      );
    },
  );
});

/** The same vocabulary with the space put before texts in other ways, as older tokenizer.json files do. */
const PREFIX_SPACES = {
  "prepended by the normalizer": NORMALIZER,
  "put before every section": metaspace("always", true),
};

describe.each(Object.entries(PREFIX_SPACES))("a space %s", (_, changes) => {
  test("is left out in continuation", async () => {
    const tokenizer = await loadTokenizer(await tokenizerVariant(changes));
    const tokens = (ids: Int32Array): string =>
      plain(ids)
        .map((id) => tokenizer.tokenOf(id))
        .join("");
    expect(tokens((await tokenizer.encode("The river")).ids)).toBe("▁The▁river");
    const [bare, spaced] = await tokenizer.encodeContinuationBatch(["The river", " The river"]);
    expect(tokens(bare!.ids)).toBe("The▁river");
    expect(tokens(spaced!.ids)).toBe("▁The▁river");
  });
});

describe("single places of an encoding", () => {
  test.each([TINY_BYTES, TINY_PIECES])("agree with all offsets: %s", async (folder) => {
    const tokenizer = await loadTokenizer(folder);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 20 }), async (text) => {
        const encoded = await tokenizer.encode(text);
        const { ids, offsets } = encoded;
        for (let token = 0; token < ids.length; token++) {
          expect(encoded.rangeOf(token)).toEqual([offsets[2 * token], offsets[2 * token + 1]]);
        }
        for (let position = 0; position <= text.length; position++) {
          const ends = [...ids].map((_, token) => offsets[2 * token + 1]!);
          const first = ends.findIndex((end) => end > position);
          expect(encoded.tokenAt(position)).toBe(first < 0 ? ids.length : first);
        }
      }),
    );
  });
});

describe("bytesOf", () => {
  test.each([TINY_BYTES, TINY_PIECES])("the bytes of all tokens make up the text: %s", async (folder) => {
    const tokenizer = await loadTokenizer(folder);
    const text = "the naïve 😀 answer\n";
    const { ids } = (await tokenizer.encodeContinuationBatch([text]))[0]!;
    const bytes = plain(ids).flatMap((id) => [...tokenizer.bytesOf(id)]);
    expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(text);
  });
});
