// LLaMA and the families that differ from it in details: Mistral, Qwen 2 and 3, Phi 3, SmolLM 3, OLMo 2 and 3, Granite.
// SmolLM 2 and Falcon 3 are LLaMA by their configs.
import type { Architecture, ExpertsPlan, ModuleNames } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import { type RopeContext, ropePlan } from "../rope.ts";
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

/** What the families of this file do not share. */
export interface Differences {
  readonly maxPositions: number;
  readonly keyValueHeads?: number;
  readonly headSize?: number;
  readonly eps?: number;
  readonly window?: (fields: ConfigFields, layers: number) => (number | undefined)[];
  /** In place of one rope for all layers. */
  readonly ropes?: (fields: ConfigFields, context: RopeChoice) => LayerRopes;
  readonly biases?: (fields: ConfigFields) => Architecture["biases"];
  /** Of each layer; undefined for one with an MLP. */
  readonly experts?: (fields: ConfigFields, layers: number) => (ExpertsPlan | undefined)[];
  readonly residualDropout?: (fields: ConfigFields) => number;
  readonly queryKeyNorm?: Architecture["queryKeyNorm"];
  readonly block?: Architecture["block"];
  readonly tied?: boolean;
  /** Factors that stand in the config. */
  readonly scales?: (fields: ConfigFields) => Partial<Scales>;
  readonly names?: Partial<ModuleNames>;
}

interface RopeChoice extends Pick<RopeContext, "headSize" | "maxPositions"> {
  /** Of each layer. */
  readonly windows: readonly (number | undefined)[];
}

interface LayerRopes extends Pick<Architecture, "ropes"> {
  /** A layer's index in `ropes`; undefined where it turns nothing. */
  readonly of: (layer: number) => number | undefined;
}

interface Scales extends Pick<Architecture, "embeddingScale" | "residualScale" | "hiddenScale"> {
  readonly attentionScale: number;
}

const NO_BIAS = { attentionInputs: false, attentionOutput: false, mlp: false };

/** How a config of LLaMA's kind reads. */
export function readLlamaLike(differences: Differences) {
  return (fields: ConfigFields): Architecture => {
    const heads = readHeads(fields, LLAMA_HEADS, differences);
    const maxPositions = fields.count("max_position_embeddings", differences.maxPositions);
    const layers = fields.layerCount("num_hidden_layers");
    const windows = differences.window?.(fields, layers) ?? new Array<undefined>(layers).fill(undefined);
    const experts = differences.experts?.(fields, layers);
    const context = { headSize: heads.headSize, maxPositions };
    const { ropes, of } =
      differences.ropes?.(fields, { ...context, windows }) ?? everyLayer(readRope(fields, context));
    const {
      attentionScale = heads.headSize ** -0.5,
      embeddingScale = 1,
      residualScale = 1,
      hiddenScale = 1,
    } = differences.scales?.(fields) ?? {};
    return {
      ...heads,
      vocabularySize: fields.count("vocab_size"),
      intermediateSize: fields.count("intermediate_size"),
      maxPositions,
      layers: windows.map((window, layer) => ({
        ...{ window, rope: of(layer), attentionScale },
        ...(experts?.[layer] && { experts: experts[layer] }),
      })),
      ropes,
      positionOffset: undefined,
      norm: { kind: "rms", eps: fields.number("rms_norm_eps", differences.eps ?? 1e-6), weightOffset: 0 },
      block: differences.block ?? "pre-norm",
      finalNorm: true,
      queryKeyNorm: differences.queryKeyNorm,
      fusedAttentionInputs: differences.names?.attentionInputs?.length === 1 ? "stacked" : undefined,
      gated: true,
      transposed: false,
      biases: differences.biases?.(fields) ?? NO_BIAS,
      activation: activation(fields, "hidden_act", "silu"),
      attentionSoftcap: undefined,
      logitSoftcap: undefined,
      embeddingScale,
      residualScale,
      hiddenScale,
      tied: fields.boolean("tie_word_embeddings", differences.tied ?? false),
      dropout: {
        embedding: 0,
        attention: fields.probability("attention_dropout"),
        residual: differences.residualDropout?.(fields) ?? 0,
      },
      names: { ...LLAMA_NAMES, ...differences.names },
    };
  };
}

function everyLayer(rope: Architecture["ropes"][0]): LayerRopes {
  return { ropes: [rope], of: () => 0 };
}

/** One key for all of attention's biases. */
export function attentionBiases(fields: ConfigFields): Architecture["biases"] {
  const attention = fields.boolean("attention_bias", false);
  return { attentionInputs: attention, attentionOutput: attention, mlp: false };
}

/** The same, with one for those of the MLP. */
function biasesByHalf(fields: ConfigFields): Architecture["biases"] {
  return { ...attentionBiases(fields), mlp: fields.boolean("mlp_bias", false) };
}

/** A window on every layer. */
export function everywhere(fallback?: number) {
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
  read: readLlamaLike({
    maxPositions: 2048,
    biases: biasesByHalf,
  }),
};

const mistral: Family = {
  modelType: "mistral",
  architecture: "MistralForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({ maxPositions: 131072, keyValueHeads: 8, window: everywhere(4096) }),
};

const qwen2: Family = {
  modelType: "qwen2",
  architecture: "Qwen2ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
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
  read: readLlamaLike({
    maxPositions: 32768,
    keyValueHeads: 32,
    headSize: 128,
    window: upperLayers,
    queryKeyNorm: "by-head",
    names: QUERY_KEY_NORMS,
    biases: attentionBiases,
  }),
};

const phi3: Family = {
  modelType: "phi3",
  initialization: { ...LLAMA_INITIALIZATION, padding: { key: "pad_token_id", fallback: 32000 } },
  architecture: "Phi3ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 4096,
    eps: 1e-5,
    window: everywhere(),
    // embd_pdrop stands in the config, but no reader applies it.
    residualDropout: (fields) => {
      fields.ignore("embd_pdrop");
      return fields.probability("resid_pdrop");
    },
    ropes: (fields, { headSize, maxPositions }) => {
      const originalPositions = fields.count("original_max_position_embeddings", 4096);
      const context = { headSize, maxPositions, originalPositions, types: ["default", "longrope"] as const };
      return everyLayer(readRope(fields, context, { theta: "rope_theta", partial: "partial_rotary_factor" }));
    },
    names: { attentionInputs: ["self_attn.qkv_proj"], mlpInputs: ["mlp.gate_up_proj"] },
  }),
};

/** Which layers turn: `no_rope_layers` has 1 for those that do; without it, all but each fourth. */
function turningLayers(fields: ConfigFields, count: number): boolean[] {
  const interval = fields.count("no_rope_layer_interval", 4);
  const listed = fields.take("no_rope_layers");
  if (listed === undefined) return Array.from({ length: count }, (_, layer) => (layer + 1) % interval !== 0);
  if (!Array.isArray(listed) || listed.length !== count || !listed.every((each) => each === 0 || each === 1))
    throw fields.error("no_rope_layers", `expected ${count} of 0 and 1`);
  return listed.map((each) => each === 1);
}

const smolLm3: Family = {
  modelType: "smollm3",
  initialization: { ...LLAMA_INITIALIZATION, padding: { key: "pad_token_id", fallback: 128004 } },
  architecture: "SmolLM3ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 32768,
    keyValueHeads: 4,
    tied: true,
    window: (fields, layers) => {
      const used = fields.boolean("use_sliding_window", false);
      const size = fields.optionalCount("sliding_window");
      const turning = turningLayers(fields, layers);
      const types = readLayerTypes(fields, layers, (i) => used && size !== undefined && !turning[i]);
      if (size === undefined && types.includes("sliding_attention"))
        throw fields.error("layer_types", "has sliding layers where there is no sliding_window");
      return types.map((type) => (type === "sliding_attention" ? size : undefined));
    },
    ropes: (fields, { headSize, maxPositions, windows }) => {
      const turning = turningLayers(fields, windows.length);
      const rope = readRope(fields, { headSize, maxPositions, theta: 2000000 });
      return { ropes: [rope], of: (layer) => (turning[layer] ? 0 : undefined) };
    },
    biases: biasesByHalf,
  }),
};

/** Norms of OLMo 2 and 3: of query and key over all heads, and of what each half adds. */
const OLMO_NORMS = {
  block: "inside-norm",
  queryKeyNorm: "whole",
  names: {
    attentionNorm: "post_attention_layernorm",
    mlpNorm: "post_feedforward_layernorm",
    ...QUERY_KEY_NORMS,
  },
  biases: attentionBiases,
} as const satisfies Partial<Differences>;

const OLMO_INITIALIZATION = { ...LLAMA_INITIALIZATION, padding: { key: "pad_token_id", fallback: 1 } };

const olmo2: Family = {
  modelType: "olmo2",
  initialization: OLMO_INITIALIZATION,
  architecture: "Olmo2ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({ ...OLMO_NORMS, maxPositions: 2048, eps: 1e-5 }),
};

/** Layers with a window turn by a rope of their own: scaling is the others'. */
function olmo3Ropes(fields: ConfigFields, { headSize, maxPositions, windows }: RopeChoice): LayerRopes {
  const context = { headSize, maxPositions, partial: 1, theta: fields.number("rope_theta", 500000) };
  const scaling = fields.object("rope_scaling");
  const ropes = fields.object("rope_parameters");
  const plans = [
    ropePlan(ropes?.object("sliding_attention"), context),
    ropePlan(scaling ?? ropes?.object("full_attention"), context),
  ];
  ropes?.refuseUnread();
  return { ropes: plans, of: (layer) => (windows[layer] === undefined ? 1 : 0) };
}

const olmo3: Family = {
  modelType: "olmo3",
  initialization: OLMO_INITIALIZATION,
  architecture: "Olmo3ForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    ...OLMO_NORMS,
    maxPositions: 2048,
    eps: 1e-5,
    window: (fields, layers) => {
      const size = fields.count("sliding_window", 4096);
      const types = readLayerTypes(fields, layers, (i) => (i + 1) % 4 !== 0);
      return types.map((type) => (type === "sliding_attention" ? size : undefined));
    },
    ropes: olmo3Ropes,
  }),
};

const granite: Family = {
  modelType: "granite",
  architecture: "GraniteForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 2048,
    biases: biasesByHalf,
    scales: (fields) => ({
      attentionScale: fields.number("attention_multiplier", 1),
      embeddingScale: fields.number("embedding_multiplier", 1),
      residualScale: fields.number("residual_multiplier", 1),
      hiddenScale: 1 / fields.number("logits_scaling", 1),
    }),
  }),
};

export const LLAMA_LIKE: readonly Family[] = [
  ...[llama, mistral, qwen2, qwen3, phi3],
  ...[smolLm3, olmo2, olmo3, granite],
];
