// The families with LayerNorm: GPT-2, GPT-NeoX (Pythia), OPT and StableLM.
import type { Architecture } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import {
  activation,
  type Family,
  LLAMA_HEADS,
  LLAMA_NAMES,
  ROPE_BUFFERS,
  readHeads,
  readRope,
} from "./family.ts";

/** What they have in common. */
const SHARED = {
  queryKeyNorm: undefined,
  gated: false,
  attentionSoftcap: undefined,
  logitSoftcap: undefined,
  embeddingScale: 1,
  residualScale: 1,
  hiddenScale: 1,
} as const;

function readGpt2(fields: ConfigFields): Architecture {
  const heads = readHeads(fields, { hiddenSize: "n_embd", heads: "n_head" });
  const scaled = fields.boolean("scale_attn_weights", true);
  const byLayer = fields.boolean("scale_attn_by_inverse_layer_idx", false);
  const scale = scaled ? heads.headSize ** -0.5 : 1;
  // The same numbers in another order of operations; n_ctx repeats n_positions.
  fields.ignore("reorder_and_upcast_attn", "n_ctx");
  fields.require("add_cross_attention", false, "there is no encoder");
  return {
    ...SHARED,
    ...heads,
    vocabularySize: fields.count("vocab_size"),
    intermediateSize: fields.optionalCount("n_inner") ?? 4 * heads.hiddenSize,
    maxPositions: fields.count("n_positions", 1024),
    layers: Array.from({ length: fields.layerCount("n_layer") }, (_, i) => ({
      window: undefined,
      rope: undefined,
      attentionScale: byLayer ? scale / (i + 1) : scale,
    })),
    ropes: [],
    positionOffset: 0,
    norm: { kind: "layer", eps: fields.number("layer_norm_epsilon", 1e-5), weightOffset: 0 },
    block: "pre-norm",
    finalNorm: true,
    fusedAttentionInputs: "stacked",
    transposed: true,
    biases: { attentionInputs: true, attentionOutput: true, mlp: true },
    activation: activation(fields, "activation_function", "gelu_new"),
    tied: fields.boolean("tie_word_embeddings", true),
    dropout: {
      embedding: fields.probability("embd_pdrop", 0.1),
      attention: fields.probability("attn_pdrop", 0.1),
      residual: fields.probability("resid_pdrop", 0.1),
    },
    names: {
      prefix: "transformer.",
      embedding: "transformer.wte",
      positions: "transformer.wpe",
      layers: "transformer.h",
      finalNorm: "transformer.ln_f",
      head: "lm_head",
      attentionNorm: "ln_1",
      mlpNorm: "ln_2",
      attentionInputs: ["attn.c_attn"],
      attentionOutput: "attn.c_proj",
      mlpInputs: ["mlp.c_fc"],
      mlpOutput: "mlp.c_proj",
    },
  };
}

/** Layers that see all tokens before theirs, with queries scaled by the root of a head's size. */
function alikeLayers(
  fields: ConfigFields,
  headSize: number,
  rope: number | undefined,
): Architecture["layers"] {
  return Array.from({ length: fields.layerCount("num_hidden_layers") }, () => ({
    window: undefined,
    rope,
    attentionScale: headSize ** -0.5,
  }));
}

function readNeoX(fields: ConfigFields): Architecture {
  const heads = readHeads(fields, { hiddenSize: "hidden_size", heads: "num_attention_heads" });
  const maxPositions = fields.count("max_position_embeddings", 2048);
  const bias = fields.boolean("attention_bias", true);
  const dropout = fields.probability("hidden_dropout");
  const context = { headSize: heads.headSize, maxPositions, partial: 0.25 };
  return {
    ...SHARED,
    ...heads,
    vocabularySize: fields.count("vocab_size"),
    intermediateSize: fields.count("intermediate_size"),
    maxPositions,
    layers: alikeLayers(fields, heads.headSize, 0),
    ropes: [readRope(fields, context, { theta: "rotary_emb_base", partial: "rotary_pct" })],
    positionOffset: undefined,
    norm: { kind: "layer", eps: fields.number("layer_norm_eps", 1e-5), weightOffset: 0 },
    block: fields.boolean("use_parallel_residual", true) ? "parallel" : "pre-norm",
    finalNorm: true,
    fusedAttentionInputs: "by-head",
    transposed: false,
    biases: { attentionInputs: bias, attentionOutput: bias, mlp: true },
    activation: activation(fields, "hidden_act", "gelu"),
    tied: fields.boolean("tie_word_embeddings", false),
    dropout: { embedding: dropout, attention: fields.probability("attention_dropout"), residual: dropout },
    names: {
      prefix: "gpt_neox.",
      embedding: "gpt_neox.embed_in",
      layers: "gpt_neox.layers",
      finalNorm: "gpt_neox.final_layer_norm",
      head: "embed_out",
      attentionNorm: "input_layernorm",
      mlpNorm: "post_attention_layernorm",
      attentionInputs: ["attention.query_key_value"],
      attentionOutput: "attention.dense",
      mlpInputs: ["mlp.dense_h_to_4h"],
      mlpOutput: "mlp.dense_4h_to_h",
    },
  };
}

function readOpt(fields: ConfigFields): Architecture {
  const heads = readHeads(fields, { hiddenSize: "hidden_size", heads: "num_attention_heads" });
  const before = fields.boolean("do_layer_norm_before", true);
  const removed = fields.boolean("_remove_final_layer_norm", false);
  const bias = fields.boolean("enable_bias", true);
  const embeddingSize = fields.count("word_embed_proj_dim", heads.hiddenSize);
  const projects = embeddingSize !== heads.hiddenSize;
  fields.require("layer_norm_elementwise_affine", true, "norms with weight and bias");
  fields.require("layerdrop", 0, "no layer is dropped in training");
  return {
    ...SHARED,
    ...heads,
    ...(projects && { embeddingSize }),
    vocabularySize: fields.count("vocab_size"),
    intermediateSize: fields.count("ffn_dim"),
    maxPositions: fields.count("max_position_embeddings", 2048),
    layers: alikeLayers(fields, heads.headSize, undefined),
    ropes: [],
    // The table's first two rows stood for padding once.
    positionOffset: 2,
    norm: { kind: "layer", eps: 1e-5, weightOffset: 0 },
    block: before ? "pre-norm" : "post-norm",
    finalNorm: before && !removed,
    fusedAttentionInputs: undefined,
    transposed: false,
    biases: { attentionInputs: bias, attentionOutput: bias, mlp: bias },
    activation: activation(fields, "activation_function", "relu"),
    tied: fields.boolean("tie_word_embeddings", true),
    dropout: {
      embedding: 0,
      attention: fields.probability("attention_dropout"),
      residual: fields.probability("dropout", 0.1),
    },
    names: {
      prefix: "model.",
      embedding: "model.decoder.embed_tokens",
      positions: "model.decoder.embed_positions",
      ...(projects && {
        projectIn: "model.decoder.project_in",
        projectOut: "model.decoder.project_out",
      }),
      layers: "model.decoder.layers",
      finalNorm: "model.decoder.final_layer_norm",
      head: "lm_head",
      attentionNorm: "self_attn_layer_norm",
      mlpNorm: "final_layer_norm",
      attentionInputs: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
      attentionOutput: "self_attn.out_proj",
      mlpInputs: ["fc1"],
      mlpOutput: "fc2",
    },
  };
}

function readStableLm(fields: ConfigFields): Architecture {
  const { headSize: _, ...keys } = LLAMA_HEADS;
  const heads = readHeads(fields, keys, { keyValueHeads: 32 });
  const maxPositions = fields.count("max_position_embeddings", 4096);
  const context = { headSize: heads.headSize, maxPositions, partial: 0.25 };
  const parallel = fields.boolean("use_parallel_residual", false);
  fields.require("qk_layernorm", false, "heads have no norms of their own");
  fields.require("hidden_dropout", 0, "what attention and MLP add is dropped at one rate");
  return {
    ...SHARED,
    ...heads,
    vocabularySize: fields.count("vocab_size"),
    intermediateSize: fields.count("intermediate_size"),
    maxPositions,
    layers: alikeLayers(fields, heads.headSize, 0),
    ropes: [readRope(fields, context, { theta: "rope_theta", partial: "partial_rotary_factor" })],
    positionOffset: undefined,
    norm: { kind: "layer", eps: fields.number("layer_norm_eps", 1e-5), weightOffset: 0 },
    block: parallel ? "parallel" : "pre-norm",
    finalNorm: true,
    fusedAttentionInputs: undefined,
    gated: true,
    transposed: false,
    biases: {
      attentionInputs: fields.boolean("use_qkv_bias", false),
      attentionOutput: false,
      mlp: false,
    },
    activation: activation(fields, "hidden_act", "silu"),
    tied: fields.boolean("tie_word_embeddings", false),
    dropout: { embedding: 0, attention: fields.probability("attention_dropout"), residual: 0 },
    names: { ...LLAMA_NAMES, ...(parallel && { mlpNorm: LLAMA_NAMES.attentionNorm }) },
  };
}

export const LAYER_NORM: readonly Family[] = [
  {
    modelType: "gpt2",
    architecture: "GPT2LMHeadModel",
    read: readGpt2,
    initialization: { range: "initializer_range", narrowResiduals: true, padding: undefined },
    buffers: /\.attn\.(masked_)?bias$/,
  },
  {
    modelType: "gpt_neox",
    architecture: "GPTNeoXForCausalLM",
    read: readNeoX,
    initialization: { range: "initializer_range", narrowResiduals: false, padding: undefined },
    buffers: /\.attention\.(masked_)?bias$|\.rotary_emb\.inv_freq$/,
  },
  {
    modelType: "opt",
    architecture: "OPTForCausalLM",
    read: readOpt,
    initialization: {
      range: "init_std",
      narrowResiduals: false,
      padding: { key: "pad_token_id", fallback: 1 },
    },
    buffers: /^$/,
  },
  {
    modelType: "stablelm",
    architecture: "StableLmForCausalLM",
    read: readStableLm,
    buffers: ROPE_BUFFERS,
  },
];
