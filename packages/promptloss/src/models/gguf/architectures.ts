// llama.cpp's architectures as data: how a file's metadata reads as config.json, and how its tensors differ from Hugging
// Face's. Its names of tensors follow from what a tensor is for (tensor-names.ts).
import type { JsonObject } from "../../json-object.ts";
import type { Metadata } from "./fields.ts";
import type { GgufTensor } from "./format/read.ts";

/** A file's metadata and tensors, while its config is read. */
export interface ConfigSource {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** A key of the architecture: "context_length". */
  readonly key: (name: string) => string;
  /** The values of a small tensor; undefined where there is none. */
  readonly values: (name: string) => Float32Array | undefined;
}

export interface GgufArchitecture {
  /** `general.architecture`. */
  readonly name: string;
  /** `model_type` of config.json. */
  readonly modelTypes: readonly string[];
  /** Rows of query and key lie in pairs of neighbors, where Hugging Face has them half a head apart. */
  readonly neighborPairs: boolean;
  /** Norms hold 1 + the weight that Hugging Face stores. */
  readonly normOffset: 0 | 1;
  /** Pieces merge in the order of their ids: of Gemma's vocabularies the scores are not those of its merges. */
  readonly mergesByOrder: boolean;
  readonly config: (source: ConfigSource) => JsonObject;
}

/** Sizes beyond it are no head's, and tables of positions are made for a head. */
const LONGEST_HEAD = 1 << 16;

/** The hidden size, which the embedding has to have: a head without one is as large as the file says. */
function widthOf(
  metadata: Metadata,
  key: ConfigSource["key"],
  tensors: ReadonlyMap<string, GgufTensor>,
): number {
  const width = metadata.count(key("embedding_length"));
  const columns = tensors.get("token_embd.weight")?.shape[1];
  if (columns !== width)
    throw metadata.error(key("embedding_length"), `is ${width}, and the embedding has ${columns} columns`);
  return width;
}

/** What most architectures have in common. */
function common({ metadata, key, tensors }: ConfigSource): JsonObject {
  const heads = metadata.count(key("attention.head_count"));
  const headSize = metadata.optionalCount(key("attention.key_length"));
  const valueSize = metadata.optionalCount(key("attention.value_length"));
  if (valueSize !== undefined && valueSize !== (headSize ?? valueSize))
    throw metadata.error(
      key("attention.value_length"),
      "differs from the keys' length, which is not supported",
    );
  const experts = metadata.number(key("expert_count")) ?? 0;
  if (experts > 0) throw metadata.error(key("expert_count"), "mixtures of experts are not supported");
  const headLimit = headSize ?? 1;
  if (headLimit > LONGEST_HEAD)
    throw metadata.error(key("attention.key_length"), `${headLimit} is no size of a head`);
  return {
    hidden_size: widthOf(metadata, key, tensors),
    intermediate_size: metadata.count(key("feed_forward_length")),
    max_position_embeddings: metadata.count(key("context_length")),
    num_attention_heads: heads,
    num_hidden_layers: metadata.count(key("block_count")),
    num_key_value_heads: metadata.optionalCount(key("attention.head_count_kv")) ?? heads,
    ...(headSize !== undefined && { head_dim: headSize }),
    rms_norm_eps: metadata.number(key("attention.layer_norm_rms_epsilon")) ?? 1e-6,
    tie_word_embeddings: !tensors.has("output.weight"),
  };
}

function headSizeOf(config: JsonObject): number {
  return (
    (config.head_dim as number | undefined) ??
    (config.hidden_size as number) / (config.num_attention_heads as number)
  );
}

/** The parameters of LLaMA 3's scaling, which files keep as factors alone: those that its models were released with. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** rope_theta and rope_scaling. */
function rope(source: ConfigSource, config: JsonObject): JsonObject {
  const { metadata, key, values } = source;
  const theta = metadata.number(key("rope.freq_base")) ?? 10000;
  const width = metadata.optionalCount(key("rope.dimension_count"));
  const headSize = headSizeOf(config);
  if (width !== undefined && width !== headSize)
    throw metadata.error(
      key("rope.dimension_count"),
      `turns ${width} of ${headSize} elements, which is not supported`,
    );
  const factors = values("rope_freqs.weight");
  if (factors !== undefined)
    return { rope_theta: theta, rope_scaling: fromFactors(factors, theta, headSize) };
  const scaling = scalingOf(source);
  return { rope_theta: theta, ...(scaling !== undefined && { rope_scaling: scaling }) };
}

function scalingOf({ metadata, key }: ConfigSource): JsonObject | undefined {
  const type = metadata.text(key("rope.scaling.type")) ?? "none";
  const factor =
    metadata.number(key("rope.scaling.factor")) ?? metadata.number(key("rope.scale_linear")) ?? 1;
  const original = metadata.optionalCount(key("rope.scaling.original_context_length"));
  if (type === "yarn")
    return {
      ...{ rope_type: "yarn", factor },
      ...(original !== undefined && { original_max_position_embeddings: original }),
    };
  if (type === "linear" || (type === "none" && factor !== 1)) return { rope_type: "linear", factor };
  if (type === "none") return undefined;
  throw metadata.error(key("rope.scaling.type"), `${JSON.stringify(type)} is not supported`);
}

/** LLaMA 3's scaling where the factors are its; else the factors as they are, which is what longrope without a scale is. */
function fromFactors(factors: Float32Array, theta: number, headSize: number): JsonObject {
  const factor = factors.reduce((most, each) => Math.max(most, each), 1);
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = LLAMA3;
  const expected = Array.from(factors, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headSize);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
  if (expected.every((each, i) => Math.abs(each / factors[i]! - 1) < 1e-4))
    return { rope_type: "llama3", factor, ...LLAMA3 };
  const list = Array.from(factors);
  return { rope_type: "longrope", short_factor: list, long_factor: list, attention_factor: 1 };
}

function hasTensor({ tensors }: ConfigSource, name: string): boolean {
  return tensors.has(`blk.0.${name}`);
}

/** LLaMA, and Mistral where the file has a window. */
function llama(source: ConfigSource): JsonObject {
  const config = common(source);
  const { metadata, key } = source;
  const window = metadata.optionalCount(key("attention.sliding_window"));
  const shared = { ...config, ...rope(source, config), hidden_act: "silu" };
  if (window !== undefined) return { ...shared, model_type: "mistral", sliding_window: window };
  return {
    ...shared,
    model_type: "llama",
    attention_bias: hasTensor(source, "attn_q.bias"),
    mlp_bias: hasTensor(source, "ffn_up.bias"),
  };
}

function qwen(modelType: "qwen2" | "qwen3") {
  return (source: ConfigSource): JsonObject => {
    const config = common(source);
    return {
      ...config,
      ...rope(source, config),
      model_type: modelType,
      hidden_act: "silu",
      use_sliding_window: false,
      ...(modelType === "qwen3" && {
        head_dim: headSizeOf(config),
        attention_bias: hasTensor(source, "attn_q.bias"),
      }),
    };
  };
}

/**
 * Gemma's scale of attention, which no key holds: of the two largest models it goes by the hidden size, as llama.cpp
 * knows by their layers.
 */
export function queryScalar(config: JsonObject, largest: number): number {
  return config.num_hidden_layers === largest
    ? (config.hidden_size as number) / (config.num_attention_heads as number)
    : headSizeOf(config);
}

function gemma(source: ConfigSource): JsonObject {
  const { metadata, key } = source;
  const config = common(source);
  const window = metadata.optionalCount(key("attention.sliding_window"));
  return {
    ...config,
    head_dim: headSizeOf(config),
    hidden_activation: "gelu_pytorch_tanh",
    attention_bias: false,
    ...(window !== undefined && { sliding_window: window }),
  };
}

function gemma2(source: ConfigSource): JsonObject {
  const { metadata, key } = source;
  const config = gemma(source);
  return {
    ...config,
    ...rope(source, config),
    model_type: "gemma2",
    attn_logit_softcapping: metadata.number(key("attn_logit_softcapping")) ?? null,
    final_logit_softcapping: metadata.number(key("final_logit_softcapping")) ?? null,
    query_pre_attn_scalar: queryScalar(config, 46),
  };
}

function gemma3(source: ConfigSource): JsonObject {
  const { metadata, key } = source;
  const config = gemma(source);
  const scaling = scalingOf(source);
  const cap = metadata.number(key("final_logit_softcapping"));
  return {
    ...config,
    model_type: "gemma3_text",
    rope_theta: metadata.number(key("rope.freq_base")) ?? 1000000,
    rope_local_base_freq: metadata.number(key("rope.freq_base_swa")) ?? 10000,
    ...(scaling !== undefined && { rope_scaling: scaling }),
    ...(cap !== undefined && { final_logit_softcapping: cap }),
    sliding_window_pattern: metadata.optionalCount(key("attention.sliding_window_pattern")) ?? 6,
    query_pre_attn_scalar: queryScalar(config, 62),
  };
}

function phi3(source: ConfigSource): JsonObject {
  const { metadata, key, values } = source;
  const config = common(source);
  const headSize = headSizeOf(config);
  const width = metadata.optionalCount(key("rope.dimension_count")) ?? headSize;
  if (width > headSize)
    throw metadata.error(key("rope.dimension_count"), `turns ${width} of ${headSize} elements`);
  const original = metadata.optionalCount(key("rope.scaling.original_context_length"));
  const window = metadata.optionalCount(key("attention.sliding_window"));
  const [short, long] = [values("rope_factors_short.weight"), values("rope_factors_long.weight")];
  const attentionFactor = metadata.number(key("rope.scaling.attn_factor"));
  return {
    ...config,
    model_type: "phi3",
    hidden_act: "silu",
    rope_theta: metadata.number(key("rope.freq_base")) ?? 10000,
    partial_rotary_factor: width / headSize,
    original_max_position_embeddings: original ?? config.max_position_embeddings,
    sliding_window: window ?? null,
    ...(short !== undefined &&
      long !== undefined && {
        rope_scaling: {
          type: "longrope",
          short_factor: Array.from(short),
          long_factor: Array.from(long),
          ...(attentionFactor !== undefined && { attention_factor: attentionFactor }),
        },
      }),
  };
}

function gpt2({ metadata, key, tensors }: ConfigSource): JsonObject {
  return {
    model_type: "gpt2",
    n_embd: widthOf(metadata, key, tensors),
    n_inner: metadata.optionalCount(key("feed_forward_length")) ?? null,
    n_positions: metadata.count(key("context_length")),
    n_head: metadata.count(key("attention.head_count")),
    n_layer: metadata.count(key("block_count")),
    layer_norm_epsilon: metadata.number(key("attention.layer_norm_epsilon")) ?? 1e-5,
    activation_function: "gelu_new",
    tie_word_embeddings: !tensors.has("output.weight"),
  };
}

const PLAIN = { neighborPairs: false, normOffset: 0, mergesByOrder: false } as const;
const GEMMA = { ...PLAIN, normOffset: 1, mergesByOrder: true } as const;

export const ARCHITECTURES: readonly GgufArchitecture[] = [
  { ...PLAIN, name: "llama", modelTypes: ["llama", "mistral"], neighborPairs: true, config: llama },
  { ...PLAIN, name: "mistral", modelTypes: [], neighborPairs: true, config: llama },
  { ...PLAIN, name: "qwen2", modelTypes: ["qwen2"], config: qwen("qwen2") },
  { ...PLAIN, name: "qwen3", modelTypes: ["qwen3"], config: qwen("qwen3") },
  { ...GEMMA, name: "gemma2", modelTypes: ["gemma2"], config: gemma2 },
  { ...GEMMA, name: "gemma3", modelTypes: ["gemma3_text"], config: gemma3 },
  { ...PLAIN, name: "phi3", modelTypes: ["phi3"], config: phi3 },
  { ...PLAIN, name: "gpt2", modelTypes: ["gpt2"], config: gpt2 },
];

/** Tensors that hold no weights, but what config.json says of positions. */
export const ROPE_TENSORS: readonly string[] = [
  "rope_freqs.weight",
  "rope_factors_short.weight",
  "rope_factors_long.weight",
];
