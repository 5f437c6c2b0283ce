import { expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/tiny-llama.ts";
import { contextLength } from "./context-length.ts";
import { parseModelConfig } from "./model-config.ts";

function lengthOf(config: object): number {
  return contextLength(parseModelConfig(config).architecture);
}

test("a decoder reads as many tokens as it has positions", () => {
  expect(lengthOf({ ...TINY_LLAMA, max_position_embeddings: 40 })).toBe(40);
});

test("an encoder's end takes one of its positions, where those are learned", () => {
  const sides = ["encoder", "decoder"].map((side) => ({
    [`${side}_layers`]: 1,
    [`${side}_attention_heads`]: 2,
    [`${side}_ffn_dim`]: 8,
  }));
  const bart = { model_type: "bart", d_model: 8, vocab_size: 20, max_position_embeddings: 40 };
  expect(lengthOf(Object.assign(bart, ...sides))).toBe(39);
  const t5 = { model_type: "t5", d_model: 8, d_kv: 4, d_ff: 8, num_heads: 2, num_layers: 1, vocab_size: 20 };
  expect(lengthOf({ ...t5, n_positions: 40 })).toBe(40);
});
