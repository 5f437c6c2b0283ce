// GGUF files of the tiny random models, imported: the logits are those of transformers on the same weights.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGrad, scope } from "@promptloss/torch";
import { afterAll, describe, expect, test } from "vitest";
import { writeTinyGguf } from "../../../test/gguf-files.ts";
import { tinyGolden } from "../../../test/tiny-models.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { packSequences } from "../decoder/input.ts";
import { ModelWeightsError } from "../errors.ts";
import { loadModel } from "../folder/load-model.ts";
import { blockTypeNamed } from "./format/block-types.ts";
import { GgufError } from "./format/errors.ts";
import { float32, type Typed, text, uint32, writeGguf } from "./format/write.ts";
import { importGguf } from "./import.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-import-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The tiny models whose settings a GGUF file can say. */
const MODELS = [
  "llama",
  "llama-tied-biased",
  "llama-head-width",
  "llama-linear",
  "llama-yarn",
  "mistral",
  "qwen3",
  "gpt2",
  "phi3",
  "gemma2",
  "gemma3",
];

/** The tiny Gemma models have another scale of attention than llama.cpp, which no file says, takes for their sizes. */
function setScale(model: string, scale: unknown): void {
  const path = join(model, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8"));
  expect(config.query_pre_attn_scalar).toBe(config.head_dim);
  writeFileSync(path, JSON.stringify({ ...config, query_pre_attn_scalar: scale }));
}

describe("logits of transformers", () => {
  test.each(MODELS)("%s", (name) => {
    const golden = tinyGolden(name);
    const [file, output] = [join(folder, `${name}.gguf`), join(folder, name)];
    writeTinyGguf(golden, file);
    expect(importGguf(file, output)).toMatchObject({ dtype: "float32" });
    if (name.startsWith("gemma")) setScale(output, golden.config.query_pre_attn_scalar);
    const model = loadModel(output);
    const logits = noGrad(() =>
      scope(() => model.logits(model.forward(packSequences([golden.ids]))).toTypedArray("float32")),
    );
    model.free();
    expect(logits.length).toBe(golden.logits.length);
    // The bounds of the decoder's own test on these models.
    const range = golden.logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - golden.logits[i]!)), 0);
    expect(off / range).toBeLessThan(1e-4);
  });
});

describe("refused", () => {
  function changed(name: string, change: (metadata: Map<string, Typed>) => void, shape = [32, 32]): string {
    const file = join(folder, `${name}.gguf`);
    const metadata = new Map<string, Typed>([
      ["general.architecture", text("llama")],
      ["llama.embedding_length", uint32(32)],
      ["llama.feed_forward_length", uint32(32)],
      ["llama.block_count", uint32(1)],
      ["llama.context_length", uint32(16)],
      ["llama.attention.head_count", uint32(2)],
      ["llama.attention.layer_norm_rms_epsilon", float32(1e-5)],
    ]);
    change(metadata);
    writeGguf(file, metadata, [
      {
        ...{ name: "token_embd.weight", type: blockTypeNamed("F16"), shape },
        write: (put) => put(new Uint8Array(2 * shape[0]! * shape[1]!)),
      },
    ]);
    return file;
  }
  const set = (key: string, value: Typed) => (metadata: Map<string, Typed>) => void metadata.set(key, value);

  test.each<[string, (metadata: Map<string, Typed>) => void, RegExp]>([
    [
      "another architecture",
      set("general.architecture", text("rwkv7")),
      /"rwkv7" is not supported; supported are llama/,
    ],
    ["an adapter", set("general.type", text("adapter")), /holds an adapter, no model/],
    ["a part of several", set("split.count", uint32(3)), /one part of several/],
    ["experts", set("llama.expert_count", uint32(8)), /mixtures of experts/],
    [
      "another width than the embedding's",
      set("llama.embedding_length", uint32(1 << 30)),
      /the embedding has 32 columns/,
    ],
    ["a head beyond reason", set("llama.attention.key_length", uint32(1 << 30)), /no size of a head/],
    ["no heads", set("llama.attention.head_count", uint32(0)), /at least 1, got 0/],
    ["another tokenizer", set("tokenizer.ggml.model", text("t5")), /"t5" is not supported/],
    [
      "a tokenizer without tokens",
      set("tokenizer.ggml.model", text("llama")),
      /tokenizer\.ggml\.tokens: is missing/,
    ],
  ])("%s", (name, change, message) => {
    const file = changed(name.replaceAll(/\W/g, "-"), change);
    expect(() => importGguf(file, join(folder, "none"))).toThrow(GgufError);
    expect(() => importGguf(file, join(folder, "none"))).toThrow(message);
  });

  test("missing tensors, by their names in the file", () => {
    const file = changed("missing", () => {});
    expect(() => importGguf(file, join(folder, "none"))).toThrow(ModelWeightsError);
    expect(() => importGguf(file, join(folder, "none"))).toThrow(/missing: blk\.0\.attn_norm\.weight/);
  });
});

/** A model of no layer's worth, with a tokenizer. */
async function tokenizerOf(name: string, tokens: readonly string[], more: Record<string, Typed>) {
  const golden = tinyGolden("llama");
  const file = join(folder, `${name}.gguf`);
  writeTinyGguf(
    golden,
    file,
    new Map<string, Typed>([
      ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
      ...Object.entries(more),
    ]),
  );
  importGguf(file, join(folder, name));
  return loadTokenizer(join(folder, name));
}

function kinds(value: readonly number[]): Typed {
  return { type: "int32s", value };
}

test("sentencepiece's pieces merge by their scores, with a space before the text as llama.cpp puts it", async () => {
  const bytes = Array.from({ length: 10 }, (_, i) => `<0x0${i}>`);
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, "▁", "a", "b", "ab", "▁a", "▁ab", "c"];
  const tokenizer = await tokenizerOf("pieces", tokens, {
    "tokenizer.ggml.model": text("llama"),
    "tokenizer.ggml.scores": {
      type: "float32s",
      value: tokens.map((token) => (token === "▁a" ? -1 : token === "ab" ? -2 : -3)),
    },
    "tokenizer.ggml.token_type": kinds(tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 13 ? 6 : 1))),
    "tokenizer.ggml.bos_token_id": uint32(1),
    "tokenizer.ggml.eos_token_id": uint32(2),
    "tokenizer.chat_template": text("{{ messages[0].content }}"),
  });
  const pieces = async (given: string) => [...(await tokenizer.encode(given)).ids].map((id) => tokens[id]);
  expect(await pieces("ab cab")).toEqual(["▁ab", "▁", "c", "ab"]);
  expect(await pieces(" a")).toEqual(["▁", "▁a"]);
  expect(await pieces("a</s>b\t")).toEqual(["▁a", "</s>", "▁", "b", "<0x09>"]);
  expect([...tokenizer.prefixIds]).toEqual([1]);
  expect([...tokenizer.stopIds]).toEqual([2]);
  expect(tokenizer.chatTemplate).toBe("{{ messages[0].content }}");
});

test("byte-level pieces merge as the file lists, in words of the kind that it names", async () => {
  const tokens = ["<|end|>", "a", "b", "1", "2", "Ġ", "ab", "Ġa", "12", "<tool>"];
  const more = {
    "tokenizer.ggml.model": text("gpt2"),
    "tokenizer.ggml.merges": { type: "strings", value: ["a b", "Ġ a", "1 2"] } as const,
    "tokenizer.ggml.token_type": kinds(tokens.map((_, i) => (i === 0 ? 3 : i === 9 ? 4 : 1))),
    "tokenizer.ggml.eos_token_id": uint32(0),
  };
  for (const [pre, digits] of [
    ["gpt-2", ["12"]],
    ["qwen2", ["1", "2"]],
    ["llama-bpe", ["12"]],
    ["smollm", ["1", "2"]],
  ] as const) {
    const tokenizer = await tokenizerOf(pre, tokens, { ...more, "tokenizer.ggml.pre": text(pre) });
    const pieces = [...(await tokenizer.encode("ab a<tool>12<|end|>")).ids].map((id) => tokens[id]);
    expect(pieces, pre).toEqual(["ab", "Ġa", "<tool>", ...digits, "<|end|>"]);
    expect([...tokenizer.prefixIds]).toEqual([]);
  }
  await expect(
    tokenizerOf("other", tokens, { ...more, "tokenizer.ggml.pre": text("other") }),
  ).rejects.toThrow(/"other" is a way of parting words/);
});

test("what is written beside the weights", () => {
  const config = JSON.parse(readFileSync(join(folder, "pieces", "config.json"), "utf8"));
  expect(config).toMatchObject({
    architectures: ["LlamaForCausalLM"],
    bos_token_id: 1,
    eos_token_id: 2,
    dtype: "float32",
  });
  const generation = JSON.parse(readFileSync(join(folder, "pieces", "generation_config.json"), "utf8"));
  expect(generation).toEqual({ bos_token_id: 1, eos_token_id: 2 });
});
