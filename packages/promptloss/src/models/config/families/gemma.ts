// Gemma 2 and Gemma 3 (text): norms around each half, embeddings scaled by √hidden size, windows on most layers, softcaps
// (2) or normalized queries and keys with a rope of its own for layers with a window (3). Images are not supported.
import type { Architecture, ModuleNames } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import { ropePlan } from "../rope.ts";
import {
  activation,
  type Family,
  LLAMA_HEADS,
  LLAMA_INITIALIZATION,
  LLAMA_NAMES,
  QUERY_KEY_NORMS,
  ROPE_BUFFERS,
  readHeads,
  readLayerTypes,
  readRope,
} from "./family.ts";

const NAMES: ModuleNames = {
  ...LLAMA_NAMES,
  attentionPostNorm: "post_attention_layernorm",
  mlpNorm: "pre_feedforward_layernorm",
  mlpPostNorm: "post_feedforward_layernorm",
};

function read(
  fields: ConfigFields,
  differences: {
    maxPositions: number;
    softcaps: { attention?: number; logits?: number };
    sliding: (index: number) => boolean;
    ropes: (headSize: number, maxPositions: number) => Architecture["ropes"];
    globalRope: number;
    queryKeyNorm: Architecture["queryKeyNorm"];
    names?: Partial<ModuleNames>;
  },
): Architecture {
  const heads = readHeads(fields, LLAMA_HEADS, { keyValueHeads: 4, headSize: 256 });
  const maxPositions = fields.count("max_position_embeddings", differences.maxPositions);
  const layerTypes = readLayerTypes(fields, fields.layerCount("num_hidden_layers"), differences.sliding);
  const window = fields.count("sliding_window", 4096);
  const attentionScale = fields.number("query_pre_attn_scalar", 256) ** -0.5;
  const bias = fields.boolean("attention_bias", false);
  const softcap = (key: string, fallback: number | undefined): number | undefined =>
    fields.hasKey(key) ? fields.optionalNumber(key) : fallback;
  fields.require("use_bidirectional_attention", false, "positions see those before them only");
  // Early configs carry both names; only hidden_activation counts.
  fields.ignore("hidden_act");
  return {
    ...heads,
    vocabularySize: fields.count("vocab_size"),
    intermediateSize: fields.count("intermediate_size"),
    maxPositions,
    layers: layerTypes.map((type) =>
      type === "sliding_attention"
        ? { window, rope: 0, attentionScale }
        : { window: undefined, rope: differences.globalRope, attentionScale },
    ),
    ropes: differences.ropes(heads.headSize, maxPositions),
    positionOffset: undefined,
    norm: { kind: "rms", eps: fields.number("rms_norm_eps", 1e-6), weightOffset: 1 },
    block: "pre-and-post-norm",
    finalNorm: true,
    queryKeyNorm: differences.queryKeyNorm,
    fusedAttentionInputs: undefined,
    gated: true,
    transposed: false,
    biases: { attentionInputs: bias, attentionOutput: bias, mlp: false },
    activation: activation(fields, "hidden_activation", "gelu_pytorch_tanh"),
    attentionSoftcap: softcap("attn_logit_softcapping", differences.softcaps.attention),
    logitSoftcap: softcap("final_logit_softcapping", differences.softcaps.logits),
    embeddingScale: Math.sqrt(heads.hiddenSize),
    residualScale: 1,
    hiddenScale: 1,
    tied: fields.boolean("tie_word_embeddings", true),
    dropout: { embedding: 0, attention: fields.probability("attention_dropout"), residual: 0 },
    names: { ...NAMES, ...differences.names },
  };
}

const INITIALIZATION = { ...LLAMA_INITIALIZATION, padding: { key: "pad_token_id", fallback: 0 } };

const gemma2: Family = {
  modelType: "gemma2",
  initialization: INITIALIZATION,
  architecture: "Gemma2ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: (fields) =>
    read(fields, {
      maxPositions: 8192,
      softcaps: { attention: 50, logits: 30 },
      sliding: (i) => i % 2 === 0,
      ropes: (headSize, maxPositions) => [readRope(fields, { headSize, maxPositions })],
      globalRope: 0,
      queryKeyNorm: undefined,
    }),
};

/** [layers with a window, layers without]. Older configs scale the second alone. */
function gemma3Ropes(fields: ConfigFields, headSize: number, maxPositions: number): Architecture["ropes"] {
  const context = { headSize, maxPositions, partial: 1 };
  const local = fields.number("rope_local_base_freq", 10000);
  const global = fields.number("rope_theta", 1000000);
  const scaling = fields.object("rope_scaling");
  const ropes = fields.object("rope_parameters");
  const plans = [
    ropePlan(ropes?.object("sliding_attention"), { ...context, theta: local }),
    ropePlan(ropes?.object("full_attention") ?? scaling, { ...context, theta: global }),
  ];
  ropes?.refuseUnread();
  return plans;
}

const gemma3: Family = {
  modelType: "gemma3_text",
  initialization: INITIALIZATION,
  architecture: "Gemma3ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: (fields) => {
    const pattern = fields.count("sliding_window_pattern", fields.count("_sliding_window_pattern", 6));
    return read(fields, {
      maxPositions: 131072,
      softcaps: {},
      sliding: (i) => (i + 1) % pattern !== 0,
      ropes: (headSize, maxPositions) => gemma3Ropes(fields, headSize, maxPositions),
      globalRope: 1,
      queryKeyNorm: "by-head",
      names: QUERY_KEY_NORMS,
    });
  },
};

export const GEMMA: readonly Family[] = [gemma2, gemma3];
