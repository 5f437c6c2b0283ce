// Shapes of LLaMA whose weights are drawn.

export interface LlamaShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
  readonly tied: boolean;
}

/** config.json of a shape. */
export function llamaConfig(shape: LlamaShape) {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.heads,
    max_position_embeddings: shape.maxPositions,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: shape.tied,
    vocab_size: shape.vocabulary,
    torch_dtype: "bfloat16",
  };
}
