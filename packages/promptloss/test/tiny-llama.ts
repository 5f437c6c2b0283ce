// A tiny LLaMA with random weights, for tests that train.
import { parseModelConfig } from "../src/models/config/model-config.ts";
import type { CausalLanguageModel } from "../src/models/decoder/model.ts";
import { type CreateModelOptions, createModel } from "../src/models/folder/create-model.ts";

export const TINY_LLAMA = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  // Wide enough that token losses differ.
  initializer_range: 0.3,
};

export function tinyLlama(
  options: Partial<CreateModelOptions> & { config?: Record<string, unknown> } = {},
): CausalLanguageModel {
  const { config, ...rest } = options;
  return createModel(parseModelConfig({ ...TINY_LLAMA, ...config }), { seed: 1, ...rest });
}
