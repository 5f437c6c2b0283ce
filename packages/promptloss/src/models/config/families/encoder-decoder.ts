// Encoders with decoders: the T5 family (T5, T5 1.1, Flan-T5, mT5) and BART.
import type { Activation, Architecture, EncoderPlan, LayerPlan, ModuleNames } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import { ACTIVATIONS, activation, type Family, type Initialization } from "./family.ts";

/** What both families have in common, in both stacks. */
const SHARED = {
  ropes: [],
  queryKeyNorm: undefined,
  fusedAttentionInputs: undefined,
  transposed: false,
  attentionSoftcap: undefined,
  logitSoftcap: undefined,
  residualScale: 1,
} as const satisfies Partial<Architecture>;

function layersOf(count: number, attentionScale: number): LayerPlan[] {
  return Array.from({ length: count }, () => ({ window: undefined, rope: undefined, attentionScale }));
}

/** Of tokens that have ids: the config's, or the family's. */
function tokenId(fields: ConfigFields, key: string, fallback: number): number {
  const id = fields.number(key, fallback);
  if (!Number.isInteger(id) || id < 0) throw fields.error(key, "expected a token's id");
  return id;
}

/** The first where a config lists several ends. */
function endId(fields: ConfigFields, fallback: number): number {
  const given = fields.take("eos_token_id") ?? fallback;
  const id: unknown = Array.isArray(given) ? given[0] : given;
  if (!Number.isInteger(id)) throw fields.error("eos_token_id", "expected a token's id");
  return id as number;
}

/** Whether the model was trained with its prompts in the decoder too: a key of ours, which other programs ignore. */
function promptInDecoder(fields: ConfigFields): boolean {
  return fields.choice("prompt_objective", ["none", "denoise", "reconstruct"], "none") === "reconstruct";
}

function withEncoder(
  stack: Architecture,
  decoder: Architecture,
  plan: Omit<EncoderPlan, "stack">,
): Architecture {
  return { ...decoder, encoder: { stack: Object.freeze(stack), ...plan } };
}

/** `feed_forward_proj`: "relu", or "gated-gelu"; what T5 1.1 calls gelu is the approximation by tanh. */
function readFeedForward(fields: ConfigFields, fallback: string): { gated: boolean; activation: Activation } {
  const name = fields.take("feed_forward_proj") ?? fallback;
  const [, gate, kind] = /^(gated-)?(\w+)$/.exec(String(name)) ?? [];
  if (kind === undefined || !Object.hasOwn(ACTIVATIONS, kind))
    throw fields.error("feed_forward_proj", `expected ${Object.keys(ACTIVATIONS).join(", ")}, or gated-…`);
  fields.ignore("dense_act_fn", "is_gated_act");
  const gated = gate !== undefined;
  return { gated, activation: gated && kind === "gelu" ? "gelu-tanh" : ACTIVATIONS[kind]! };
}

function t5Names(side: "encoder" | "decoder", gated: boolean): ModuleNames {
  const attention = (layer: number, kind: string) => {
    const at = (part: string): string => `layer.${layer}.${kind}.${part}`;
    return { inputs: [at("q"), at("k"), at("v")] as const, output: at("o") };
  };
  const own = attention(0, "SelfAttention");
  const mlp = side === "encoder" ? "layer.1" : "layer.2";
  return {
    prefix: "",
    embedding: "shared",
    relativePositions: "layer.0.SelfAttention.relative_attention_bias",
    layers: `${side}.block`,
    finalNorm: `${side}.final_layer_norm`,
    head: "lm_head",
    attentionNorm: "layer.0.layer_norm",
    attentionInputs: own.inputs,
    attentionOutput: own.output,
    ...(side === "decoder" && {
      crossAttention: { norm: "layer.1.layer_norm", ...attention(1, "EncDecAttention") },
    }),
    mlpNorm: `${mlp}.layer_norm`,
    mlpInputs: (gated ? ["wi_0", "wi_1"] : ["wi"]).map((part) => `${mlp}.DenseReluDense.${part}`),
    mlpOutput: `${mlp}.DenseReluDense.wo`,
  };
}

/** Positions are relative: it reads sequences of any length, and was trained on these. */
const T5_POSITIONS = 512;

function readT5(feedForward: string, isScaled: (fields: ConfigFields, tied: boolean) => boolean) {
  return (fields: ConfigFields): Architecture => {
    const hiddenSize = fields.count("d_model");
    const heads = fields.count("num_heads");
    const rate = fields.probability("dropout_rate", 0.1);
    const { gated, activation } = readFeedForward(fields, feedForward);
    const tied = fields.boolean("tie_word_embeddings", true);
    const scaled = isScaled(fields, tied);
    const encoderLayers = fields.layerCount("num_layers");
    const decoderLayers = fields.has("num_decoder_layers")
      ? fields.layerCount("num_decoder_layers")
      : encoderLayers;
    fields.ignore("num_decoder_layers");
    const positions = {
      buckets: fields.count("relative_attention_num_buckets", 32),
      maxDistance: fields.count("relative_attention_max_distance", 128),
    };
    const both = {
      ...SHARED,
      hiddenSize,
      heads,
      keyValueHeads: heads,
      headSize: fields.count("d_kv"),
      vocabularySize: fields.count("vocab_size"),
      intermediateSize: fields.count("d_ff"),
      maxPositions: fields.count("n_positions", T5_POSITIONS),
      positionOffset: undefined,
      norm: { kind: "rms", eps: fields.number("layer_norm_epsilon", 1e-6), weightOffset: 0 },
      block: "pre-norm",
      finalNorm: true,
      gated,
      activation,
      biases: { attentionInputs: false, attentionOutput: false, mlp: false },
      embeddingScale: 1,
      dropout: { embedding: rate, attention: rate, residual: rate, mlp: rate, output: rate },
    } as const;
    fields.ignore("output_past");
    return withEncoder(
      {
        ...both,
        layers: layersOf(encoderLayers, 1),
        hiddenScale: 1,
        tied: true,
        bidirectional: true,
        relativePositions: { ...positions, bidirectional: true },
        names: t5Names("encoder", gated),
      },
      {
        ...both,
        layers: layersOf(decoderLayers, 1),
        hiddenScale: scaled ? hiddenSize ** -0.5 : 1,
        tied,
        relativePositions: { ...positions, bidirectional: false },
        names: t5Names("decoder", gated),
      },
      {
        startId: tokenId(fields, "decoder_start_token_id", tokenId(fields, "pad_token_id", 0)),
        endId: endId(fields, 1),
        promptInDecoder: promptInDecoder(fields),
      },
    );
  };
}

/** By transformers' rule: matrices by what they multiply, embeddings by 1, all times one factor. */
const T5_INITIALIZATION: Initialization = {
  range: "initializer_factor",
  narrowResiduals: false,
  padding: undefined,
  spread: (name, { hiddenSize, headSize, heads, intermediateSize }, factor = 1) => {
    if (/^(shared|lm_head)\./.test(name)) return factor;
    if (/Attention\.q\./.test(name)) return factor * (hiddenSize * headSize) ** -0.5;
    if (/Attention\.o\./.test(name)) return factor * (heads * headSize) ** -0.5;
    if (/DenseReluDense\.wo\./.test(name)) return factor * intermediateSize ** -0.5;
    return factor * hiddenSize ** -0.5;
  },
};

/** Copies of the embedding under the names of both stacks, and a table that early files hold and no layer reads. */
const T5_FILES = {
  buffers: /EncDecAttention\.relative_attention_bias\.weight$/,
  embeddingCopies: /^(encoder|decoder)\.embed_tokens\.weight$/,
  initialization: T5_INITIALIZATION,
};

const t5: Family = {
  modelType: "t5",
  architecture: "T5ForConditionalGeneration",
  // T5 scales what its tied head multiplies, T5 1.1 nothing. Newer configs say so by a key of its own.
  read: readT5("relu", (fields, tied) => fields.boolean("scale_decoder_outputs", tied)),
  whereUntied: (architecture) => ({ scale_decoder_outputs: architecture.hiddenScale !== 1 }),
  ...T5_FILES,
};

const mt5: Family = {
  modelType: "mt5",
  architecture: "MT5ForConditionalGeneration",
  read: readT5("gated-gelu", () => false),
  ...T5_FILES,
};

function bartNames(side: "encoder" | "decoder"): ModuleNames {
  const attention = (kind: string) => {
    const at = (part: string): string => `${kind}.${part}`;
    return { inputs: [at("q_proj"), at("k_proj"), at("v_proj")] as const, output: at("out_proj") };
  };
  const own = attention("self_attn");
  return {
    prefix: "model.",
    embedding: "model.shared",
    positions: `model.${side}.embed_positions`,
    embeddingNorm: `model.${side}.layernorm_embedding`,
    layers: `model.${side}.layers`,
    finalNorm: "",
    head: "lm_head",
    attentionNorm: "self_attn_layer_norm",
    attentionInputs: own.inputs,
    attentionOutput: own.output,
    ...(side === "decoder" && {
      crossAttention: { norm: "encoder_attn_layer_norm", ...attention("encoder_attn") },
    }),
    mlpNorm: "final_layer_norm",
    mlpInputs: ["fc1"],
    mlpOutput: "fc2",
  };
}

function readBart(fields: ConfigFields): Architecture {
  const hiddenSize = fields.count("d_model");
  const residual = fields.probability("dropout", 0.1);
  const both = {
    ...SHARED,
    hiddenSize,
    vocabularySize: fields.count("vocab_size"),
    maxPositions: fields.count("max_position_embeddings", 1024),
    // The table's first two rows stood for padding once.
    positionOffset: 2,
    norm: { kind: "layer", eps: 1e-5, weightOffset: 0 },
    block: "post-norm",
    finalNorm: false,
    gated: false,
    activation: activation(fields, "activation_function", "gelu"),
    biases: { attentionInputs: true, attentionOutput: true, mlp: true },
    embeddingScale: fields.boolean("scale_embedding", false) ? Math.sqrt(hiddenSize) : 1,
    hiddenScale: 1,
    dropout: {
      embedding: residual,
      attention: fields.probability("attention_dropout"),
      residual,
      mlp: fields.probability("activation_dropout"),
    },
  } as const;
  for (const key of ["encoder_layerdrop", "decoder_layerdrop"])
    fields.require(key, 0, "no layer is dropped in training");
  fields.require("normalize_before", false, "norms come after the residual sums");
  fields.require("add_final_layer_norm", false, "norms come after the residual sums");
  fields.require("normalize_embedding", true, "embeddings are normalized");
  fields.require("static_position_embeddings", false, "positions are learned");
  // Repeats the encoder's.
  fields.ignore("num_hidden_layers", "add_bias_logits", "classif_dropout", "force_bos_token_to_be_generated");
  const side = (name: "encoder" | "decoder"): Architecture => {
    const heads = fields.count(`${name}_attention_heads`);
    if (hiddenSize % heads !== 0)
      throw fields.error(`${name}_attention_heads`, `must divide the hidden size of ${hiddenSize}`);
    return {
      ...both,
      heads,
      keyValueHeads: heads,
      headSize: hiddenSize / heads,
      intermediateSize: fields.count(`${name}_ffn_dim`),
      layers: layersOf(fields.layerCount(`${name}_layers`), (hiddenSize / heads) ** -0.5),
      tied: name === "encoder" || fields.boolean("tie_word_embeddings", true),
      bidirectional: name === "encoder",
      names: bartNames(name),
    };
  };
  return withEncoder(side("encoder"), side("decoder"), {
    startId: tokenId(fields, "decoder_start_token_id", 2),
    endId: endId(fields, 2),
    promptInDecoder: promptInDecoder(fields),
  });
}

const bart: Family = {
  modelType: "bart",
  architecture: "BartForConditionalGeneration",
  read: readBart,
  initialization: {
    range: "init_std",
    narrowResiduals: false,
    padding: { key: "pad_token_id", fallback: 1 },
  },
  // Zeros, in every published model.
  buffers: /^final_logits_bias$/,
  embeddingCopies: /^(model\.)?(encoder|decoder)\.embed_tokens\.weight$/,
};

export const ENCODER_DECODER: readonly Family[] = [t5, mt5, bart];
