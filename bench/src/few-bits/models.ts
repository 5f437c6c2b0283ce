// Folders of LLaMAs with random weights, and a tokenizer beside them.
import { randomFillSync } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromTypedArray, type LazyTensor, randn, writeShardedSafetensors } from "@promptloss/torch";
import { saveModel } from "promptloss";
import { createModel, parseModelConfig, storedName } from "promptloss/models";

const LLAMA = {
  ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", rms_norm_eps: 1e-5, vocab_size: 32000 },
  ...{ max_position_embeddings: 2048, dtype: "bfloat16" },
};

/** TinyLlama 1.1 B's. */
const TINY = {
  ...{ ...LLAMA, hidden_size: 2048, intermediate_size: 5632, num_hidden_layers: 22 },
  ...{ num_attention_heads: 32, num_key_value_heads: 4 },
};

/** LLaMA 7 B's. */
const SEVEN = {
  ...{ ...LLAMA, hidden_size: 4096, intermediate_size: 11008, num_hidden_layers: 32 },
  ...{ num_attention_heads: 32, num_key_value_heads: 32 },
};

/** 1.1 B parameters in bfloat16. */
export function writeTiny(folder: string, tokenizer: string): void {
  const model = createModel(parseModelConfig(TINY), { seed: 1, dtype: "bfloat16", trainable: false });
  saveModel(model, folder, { companions: tokenizer });
  model.free();
}

/** Elements and bytes of a block of Q4_K. */
const [ELEMENTS, BYTES] = [256, 144];

/** 7 B parameters, those of linear modules in random blocks of Q4_K, as the folder of a GGUF file has them. */
export function writeSeven(folder: string, tokenizer: string): void {
  mkdirSync(folder);
  for (const name of [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
  ])
    if (existsSync(join(tokenizer, name))) copyFileSync(join(tokenizer, name), join(folder, name));
  writeFileSync(join(folder, "config.json"), JSON.stringify(SEVEN));
  const { hidden_size: width, intermediate_size: inner, vocab_size: vocabulary } = SEVEN;
  const tensors = new Map<string, LazyTensor>();
  const floats = (name: string, shape: number[], spread?: number): void => {
    const read = () =>
      (spread === undefined ? randn(shape).mul(0).add(1) : randn(shape).mul(spread)).bfloat16();
    tensors.set(name, { dtype: "bfloat16", shape, read });
  };
  const blocks = (name: string, rows: number, columns: number): void => {
    const shape = [rows, (columns / ELEMENTS) * BYTES];
    tensors.set(storedName(name, "Q4_K"), { dtype: "uint8", shape, read: () => randomBlocks(shape) });
  };
  floats("model.embed_tokens.weight", [vocabulary, width], 0.02);
  floats("lm_head.weight", [vocabulary, width], 0.02);
  floats("model.norm.weight", [width]);
  for (let layer = 0; layer < SEVEN.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"])
      floats(`${at}.${norm}.weight`, [width]);
    for (const part of ["q", "k", "v", "o"]) blocks(`${at}.self_attn.${part}_proj.weight`, width, width);
    for (const part of ["gate", "up"]) blocks(`${at}.mlp.${part}_proj.weight`, inner, width);
    blocks(`${at}.mlp.down_proj.weight`, width, inner);
  }
  writeShardedSafetensors(folder, tensors, { metadata: { format: "pt" } });
}

function randomBlocks(shape: readonly number[]) {
  const bytes = new Uint8Array(shape[0]! * shape[1]!);
  randomFillSync(bytes);
  // Scale and minimum, float16: 2⁻¹⁴, and 7.5 times that, so that weights are some hundredths about 0.
  for (let at = 0; at < bytes.length; at += BYTES) bytes.set([0x00, 0x04, 0x80, 0x0f], at);
  return fromTypedArray(bytes, shape);
}
