// What a family of models is here: its name in config.json and how its config reads as an architecture.
import type { JsonObject } from "../../../json-object.ts";
import type { Activation, Architecture, ModuleNames } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import { type RopeContext, ropePlan } from "../rope.ts";

/** How transformers draws a family's new weights. */
export interface Initialization {
  /** The config's key for the standard deviation of matrices. */
  readonly range: string;
  /** Matrices that write to the residual stream are drawn narrower, by √(2 · layers) (Radford et al., 2019). */
  readonly narrowResiduals: boolean;
  /** The embedding's row that stands for padding and begins at 0: a token id, or the config's own. */
  readonly padding: { readonly key: string; readonly fallback?: number } | undefined;
  /** The deviation of a matrix of its own, in place of the range. @param given the range's value */
  readonly spread?: (name: string, architecture: Architecture, given: number | undefined) => number;
}

/** LLaMA's, and that of most families. */
export const LLAMA_INITIALIZATION: Initialization = {
  range: "initializer_range",
  narrowResiduals: false,
  padding: { key: "pad_token_id" },
};

export interface Family {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** The class in transformers, as `architectures` names it. */
  readonly architecture: string;
  readonly read: (fields: ConfigFields) => Architecture;
  /** How new weights are drawn where that is not LLaMA's way. */
  readonly initialization?: Initialization;
  /** Buffers that old files hold beside the weights, computed anew by every reader. */
  readonly buffers: RegExp;
  /** Other names that files have for the embedding, beside its own or in its place. */
  readonly embeddingCopies?: RegExp;
  /** What a config has to say beside `tie_word_embeddings: false` where a tied model's file has a head of its own. */
  readonly whereUntied?: (architecture: Architecture) => JsonObject;
}

/** How a family's new weights are drawn. */
export function initializationOf({ initialization = LLAMA_INITIALIZATION }: Family): Initialization {
  return initialization;
}

/** Inverse frequencies that early transformers saved. */
export const ROPE_BUFFERS = /\.rotary_emb\.inv_freq$/;

/** LLaMA's names of modules, which most families took over. */
export const LLAMA_NAMES: ModuleNames = {
  prefix: "model.",
  embedding: "model.embed_tokens",
  layers: "model.layers",
  finalNorm: "model.norm",
  head: "lm_head",
  attentionNorm: "input_layernorm",
  mlpNorm: "post_attention_layernorm",
  attentionInputs: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  attentionOutput: "self_attn.o_proj",
  mlpInputs: ["mlp.gate_proj", "mlp.up_proj"],
  mlpOutput: "mlp.down_proj",
};

/** Where families with LLaMA's names have norms of query and key. */
export const QUERY_KEY_NORMS = { queryNorm: "self_attn.q_norm", keyNorm: "self_attn.k_norm" };

/** LLaMA's keys for the heads of attention. */
export const LLAMA_HEADS = {
  hiddenSize: "hidden_size",
  heads: "num_attention_heads",
  keyValueHeads: "num_key_value_heads",
  headSize: "head_dim",
};

export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
  gelu_fast: "gelu-tanh",
  relu: "relu",
};

export function activation(fields: ConfigFields, key: string, fallback: string): Activation {
  const name = fields.choice(key, Object.keys(ACTIVATIONS), fallback);
  return ACTIVATIONS[name] as Activation;
}

/** The heads of attention and their size. */
export function readHeads(
  fields: ConfigFields,
  names: { hiddenSize: string; heads: string; keyValueHeads?: string; headSize?: string },
  defaults: { keyValueHeads?: number; headSize?: number } = {},
): Pick<Architecture, "hiddenSize" | "heads" | "keyValueHeads" | "headSize"> {
  const hiddenSize = fields.count(names.hiddenSize);
  const heads = fields.count(names.heads);
  const keyValueHeads =
    names.keyValueHeads === undefined
      ? heads
      : (fields.optionalCount(names.keyValueHeads) ?? defaults.keyValueHeads ?? heads);
  if (heads % keyValueHeads !== 0)
    throw fields.error(names.keyValueHeads ?? names.heads, `must divide the ${heads} attention heads`);
  const given =
    (names.headSize === undefined ? undefined : fields.optionalCount(names.headSize)) ?? defaults.headSize;
  if (given === undefined && hiddenSize % heads !== 0)
    throw fields.error(names.heads, `must divide the hidden size of ${hiddenSize}`);
  return { hiddenSize, heads, keyValueHeads, headSize: given ?? hiddenSize / heads };
}

/** The one rope of a model, from rope_parameters, or from rope_theta and rope_scaling. */
export function readRope(
  fields: ConfigFields,
  context: Omit<RopeContext, "theta" | "partial"> & { partial?: number; theta?: number },
  keys: { theta: string; partial?: string } = { theta: "rope_theta" },
): ReturnType<typeof ropePlan> {
  const theta = fields.number(keys.theta, context.theta ?? 10000);
  const partial = keys.partial === undefined ? undefined : fields.optionalNumber(keys.partial);
  const parameters = fields.object("rope_parameters");
  // Where a config has both, the older name counts, as in transformers 5; an empty object is none.
  const scaling = fields.object("rope_scaling");
  const rope = scaling === undefined || scaling.isEmpty ? parameters : scaling;
  return ropePlan(rope, { ...context, theta, partial: partial ?? context.partial ?? 1 });
}

/**
 * Which layers have a window: `layer_types` where the config lists them, else `sliding(index)`.
 * @returns the kind of each layer
 */
export function readLayerTypes(
  fields: ConfigFields,
  count: number,
  sliding: (index: number) => boolean,
): ("sliding_attention" | "full_attention")[] {
  const listed = fields.take("layer_types");
  if (listed === undefined)
    return Array.from({ length: count }, (_, i) => (sliding(i) ? "sliding_attention" : "full_attention"));
  const known = (type: unknown): type is "sliding_attention" | "full_attention" =>
    type === "sliding_attention" || type === "full_attention";
  if (!Array.isArray(listed) || listed.length !== count || !listed.every(known))
    throw fields.error("layer_types", `expected ${count} of sliding_attention and full_attention`);
  return listed;
}
