import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conversation, turn } from "../../test/examples.ts";
import { TINY_BYTES, TINY_PIECES } from "../../test/tokenizers.ts";
import { createTemplate } from "../data/templates/index.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import {
  type ClassifiedTokens,
  ExampleTokenizer,
  type OverflowPolicy,
  resolveWeightPolicy,
} from "../data/tokens/index.ts";
import { previewRow, tokenTexts } from "./preview-row.ts";
import { renderPreview } from "./render.ts";

const tokenizer = await loadTokenizer(TINY_PIECES);
const bytes = await loadTokenizer(TINY_BYTES);

async function classified(instruction: string, output: string): Promise<ClassifiedTokens> {
  const encoder = new ExampleTokenizer(tokenizer, createTemplate("plain", tokenizer));
  for await (const row of encoder.rows([conversation(turn("user", instruction), turn("assistant", output))]))
    return row;
  throw new Error("no row");
}

const policy = resolveWeightPolicy({ promptLossWeight: 0.1 });
const row = await classified("Say hello\n", "Hello there");

describe("previewRow", () => {
  test("gives each token its class, weight and text, and totals without the first token", () => {
    const { tokens, totals, fit } = previewRow(row, { tokenizer, policy });
    expect(fit).toBe("kept");
    expect(tokens.map(({ text }) => text).join("")).toMatch(/Say hello\n.*Hello there/s);
    expect(tokens.every(({ cut }) => !cut)).toBe(true);
    for (const { class: name, weight } of tokens)
      expect(weight).toBeCloseTo(name === "completion" || name === "end" ? 1 : 0.1, 6);
    expect(totals.reduce((sum, each) => sum + each.tokens, 0)).toBe(row.ids.length);
    expect(totals.reduce((sum, each) => sum + each.trained, 0)).toBe(row.ids.length - 1);
  });

  test.each<[OverflowPolicy, string]>([
    ["truncate-completion", "completion-cut"],
    ["truncate-prompt", "prompt-cut"],
    ["drop", "dropped"],
  ])("marks what %s cuts", (name, kind) => {
    const maxLength = row.ids.length - 2;
    const overflow = { maxLength, policy: name, bosId: tokenizer.bosId };
    const { tokens, fit } = previewRow(row, { tokenizer, policy, overflow });
    expect(fit).toBe(kind);
    const cut = tokens.filter((token) => token.cut).map(({ index }) => index);
    const last = row.ids.length - 1;
    const expected = {
      "completion-cut": [last - 1, last],
      "prompt-cut": [1, 2],
      dropped: [...tokens.keys()],
    };
    expect(cut).toEqual(expected[kind as keyof typeof expected]);
  });
});

describe("tokenTexts", () => {
  test("put together they are the text, also where characters are split over tokens", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 30 }), async (text) => {
        const [ids] = await bytes.encodeIds([text]);
        expect(tokenTexts(ids!, bytes).join("")).toBe(text);
        expect(tokenTexts(ids!, bytes)).toHaveLength(ids!.length);
      }),
    );
  });

  test("bytes that are no character are shown as such", () => {
    const [first] = Array.from({ length: bytes.vocabularySize }, (_, id) => id).filter(
      (id) => bytes.bytesOf(id)[0] === 0xff,
    );
    expect(tokenTexts([first!], bytes)).toEqual(["\ufffd"]);
  });
});

describe("renderPreview", () => {
  test("is readable without colors", () => {
    expect(renderPreview([previewRow(row, { tokenizer, policy })], { colors: false })).toMatchSnapshot();
  });

  test("says of a row that nothing of it is trained", () => {
    const overflow = { maxLength: 3, policy: "truncate-completion" as const };
    const masked = { tokenizer, policy: resolveWeightPolicy({ promptLossWeight: 0 }), overflow };
    expect(renderPreview([previewRow(row, masked)], { colors: false })).toMatch(/no token is trained/);
    const dropped = { ...masked, overflow: { maxLength: 3, policy: "drop" as const } };
    expect(renderPreview([previewRow(row, dropped)], { colors: false })).not.toMatch(/no token is trained/);
  });

  test("shows what a terminal would obey or hide", async () => {
    const hidden = await classified("a\u001b[2Jb\u0007\u200bc\u202e", "d\u0000\r\n\te");
    const shown = renderPreview([previewRow(hidden, { tokenizer, policy })], { colors: false });
    expect(shown.replaceAll("|", "")).toContain("a␛[2Jb␇<U+200B>c<U+202E>");
    expect(shown.replaceAll("|", "")).toContain("d␀␍⏎⇥e");
  });

  test("lists tokens on request", () => {
    const overflow = { maxLength: row.ids.length - 1, policy: "truncate-completion" as const };
    const cut = previewRow(row, { tokenizer, policy, overflow });
    expect(renderPreview([cut], { colors: false, listTokens: true })).toMatchSnapshot();
  });

  test("in colors it is the same text", () => {
    const colored = renderPreview([previewRow(row, { tokenizer, policy })], { colors: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colors are control characters.
    const text = colored.replace(/\x1b\[[\d;]*m/g, "");
    expect(text).toContain("Say hello⏎\n");
    expect(text).toContain("Hello there</s>");
    expect(colored).toContain("\x1b[38;5;255;48;5;22m");
  });
});
