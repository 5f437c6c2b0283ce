// LLaMA and the families that differ from it in details: Mistral, Qwen 2 and 3, Phi 3.
import type { Architecture, ModuleNames } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import {
  activation,
  type Family,
  LLAMA_HEADS,
  LLAMA_INITIALIZATION,
  LLAMA_NAMES,
  ROPE_BUFFERS,
  readHeads,
  readLayerTypes,
  readRope,
} from "./family.ts";

/** What the families of this file do not share. */
interface Differences {
  readonly maxPositions: number;
  readonly keyValueHeads?: number;
  readonly headSize?: number;
  readonly eps?: number;
  readonly window?: (fields: ConfigFields, layers: number) => (number | undefined)[];
  readonly rope?: (fields: ConfigFields, headSize: number, maxPositions: number) => Architecture["ropes"][0];
  readonly biases?: (fields: ConfigFields) => Architecture["biases"];
  readonly residualDropout?: (fields: ConfigFields) => number;
  readonly queryKeyNorm?: boolean;
  readonly names?: Partial<ModuleNames>;
}

const NO_BIAS = { attentionInputs: false, attentionOutput: false, mlp: false };

function read(differences: Differences) {
  return (fields: ConfigFields): Architecture => {
    const heads = readHeads(fields, LLAMA_HEADS, differences);
    const maxPositions = fields.count("max_position_embeddings", differences.maxPositions);
    const layers = fields.layerCount("num_hidden_layers");
    const windows = differences.window?.(fields, layers);
    const rope =
      differences.rope?.(fields, heads.headSize, maxPositions) ??
      readRope(fields, { headSize: heads.headSize, maxPositions });
    return {
      ...heads,
      vocabularySize: fields.count("vocab_size"),
      intermediateSize: fields.count("intermediate_size"),
      maxPositions,
      layers: Array.from({ length: layers }, (_, i) => ({
        window: windows?.[i],
        rope: 0,
        attentionScale: heads.headSize ** -0.5,
      })),
      ropes: [rope],
      positionOffset: undefined,
      norm: { kind: "rms", eps: fields.number("rms_norm_eps", differences.eps ?? 1e-6), weightOffset: 0 },
      block: "pre-norm",
      finalNorm: true,
      queryKeyNorm: differences.queryKeyNorm ?? false,
      fusedAttentionInputs: differences.names?.attentionInputs?.length === 1 ? "stacked" : undefined,
      gated: true,
      transposed: false,
      biases: differences.biases?.(fields) ?? NO_BIAS,
      activation: activation(fields, "hidden_act", "silu"),
      attentionSoftcap: undefined,
      logitSoftcap: undefined,
      embeddingScale: 1,
      tied: fields.boolean("tie_word_embeddings", false),
      dropout: {
        embedding: 0,
        attention: fields.probability("attention_dropout"),
        residual: differences.residualDropout?.(fields) ?? 0,
      },
      names: { ...LLAMA_NAMES, ...differences.names },
    };
  };
}

/** A window on every layer. */
function everywhere(fallback?: number) {
  return (fields: ConfigFields, layers: number): (number | undefined)[] => {
    // A key left out takes the default; null means no window.
    const window = fields.hasKey("sliding_window") ? fields.optionalCount("sliding_window") : fallback;
    return new Array<number | undefined>(layers).fill(window);
  };
}

/** Qwen: a window on the upper layers, and only where it is switched on. */
function upperLayers(fields: ConfigFields, layers: number): (number | undefined)[] {
  const used = fields.boolean("use_sliding_window", false);
  const size = fields.optionalCount("sliding_window") ?? 4096;
  const from = fields.number("max_window_layers", 28);
  const types = readLayerTypes(fields, layers, (i) => used && i >= from);
  if (!used && types.includes("sliding_attention"))
    throw fields.error("layer_types", "has sliding layers where use_sliding_window is false");
  return types.map((type) => (type === "sliding_attention" ? size : undefined));
}

const llama: Family = {
  modelType: "llama",
  architecture: "LlamaForCausalLM",
  buffers: ROPE_BUFFERS,
  read: read({
    maxPositions: 2048,
    biases: (fields) => {
      const attention = fields.boolean("attention_bias", false);
      const mlp = fields.boolean("mlp_bias", false);
      return { attentionInputs: attention, attentionOutput: attention, mlp };
    },
  }),
};

const mistral: Family = {
  modelType: "mistral",
  architecture: "MistralForCausalLM",
  buffers: ROPE_BUFFERS,
  read: read({ maxPositions: 131072, keyValueHeads: 8, window: everywhere(4096) }),
};

const qwen2: Family = {
  modelType: "qwen2",
  architecture: "Qwen2ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: read({
    maxPositions: 32768,
    keyValueHeads: 32,
    window: upperLayers,
    biases: () => ({ attentionInputs: true, attentionOutput: false, mlp: false }),
  }),
};

const qwen3: Family = {
  modelType: "qwen3",
  architecture: "Qwen3ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: read({
    maxPositions: 32768,
    keyValueHeads: 32,
    headSize: 128,
    window: upperLayers,
    queryKeyNorm: true,
    names: { queryNorm: "self_attn.q_norm", keyNorm: "self_attn.k_norm" },
    biases: (fields) => {
      const attention = fields.boolean("attention_bias", false);
      return { attentionInputs: attention, attentionOutput: attention, mlp: false };
    },
  }),
};

const phi3: Family = {
  modelType: "phi3",
  initialization: { ...LLAMA_INITIALIZATION, padding: { key: "pad_token_id", fallback: 32000 } },
  architecture: "Phi3ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: read({
    maxPositions: 4096,
    eps: 1e-5,
    window: everywhere(),
    // embd_pdrop stands in the config, but no reader applies it.
    residualDropout: (fields) => {
      fields.ignore("embd_pdrop");
      return fields.probability("resid_pdrop");
    },
    rope: (fields, headSize, maxPositions) => {
      const originalPositions = fields.count("original_max_position_embeddings", 4096);
      const context = { headSize, maxPositions, originalPositions, types: ["default", "longrope"] as const };
      return readRope(fields, context, { theta: "rope_theta", partial: "partial_rotary_factor" });
    },
    names: { attentionInputs: ["self_attn.qkv_proj"], mlpInputs: ["mlp.gate_up_proj"] },
  }),
};

export const LLAMA_LIKE: readonly Family[] = [llama, mistral, qwen2, qwen3, phi3];
