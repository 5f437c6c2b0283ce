// Mixtures of experts with LLaMA's attention: Mixtral, Qwen 2 and 3 MoE, OLMoE.
import type { ExpertNames, ExpertsPlan, SharedExpert } from "../architecture.ts";
import type { ConfigFields } from "../fields.ts";
import {
  type Family,
  LLAMA_INITIALIZATION,
  QUERY_KEY_NORMS,
  ROPE_BUFFERS,
  readLayerTypes,
} from "./family.ts";
import { attentionBiases, everywhere, readLlamaLike } from "./llama-like.ts";

const NAMES: ExpertNames = {
  router: "mlp.gate",
  experts: "mlp.experts",
  mlpInputs: ["gate_proj", "up_proj"],
  mlpOutput: "down_proj",
};

const MIXTRAL_NAMES: ExpertNames = {
  router: "block_sparse_moe.gate",
  experts: "block_sparse_moe.experts",
  mlpInputs: ["w1", "w3"],
  mlpOutput: "w2",
};

type Expert = Omit<ExpertsPlan, "count" | "perToken">;

/** @param keys how many experts there are, under the first of these that the config has */
function readExperts(
  fields: ConfigFields,
  keys: readonly [string, ...string[]],
  fallback: { count: number; perToken: number },
  expert: Expert,
): ExpertsPlan {
  const key = keys.find((each) => fields.has(each)) ?? keys[0];
  fields.ignore(...keys);
  const count = fields.count(key, fallback.count);
  const perToken = fields.count("num_experts_per_tok", fallback.perToken);
  if (perToken > count) throw fields.error("num_experts_per_tok", `there are ${count} experts`);
  fields.require("output_router_logits", false, "the router's own loss is not computed");
  fields.ignore("router_aux_loss_coef");
  return { count, perToken, ...expert };
}

/** transformers 5 writes the second. */
const COUNT_KEYS = ["num_experts", "num_local_experts"] as const;

/** Qwen: every so many layers have experts, but for those that are listed. */
function sparseLayers(fields: ConfigFields, layers: number): boolean[] {
  const step = fields.count("decoder_sparse_step", 1);
  const listed = fields.take("mlp_only_layers") ?? [];
  if (!Array.isArray(listed) || !listed.every((each) => Number.isInteger(each)))
    throw fields.error("mlp_only_layers", "expected indices of layers");
  return Array.from({ length: layers }, (_, layer) => (layer + 1) % step === 0 && !listed.includes(layer));
}

/** @param fallback what a config that is silent means */
function qwenExperts(
  fallback: { count: number; perToken: number; size: number },
  readShared?: (fields: ConfigFields) => SharedExpert,
) {
  return (fields: ConfigFields, layers: number): (ExpertsPlan | undefined)[] => {
    const plan = readExperts(fields, COUNT_KEYS, fallback, {
      intermediateSize: fields.count("moe_intermediate_size", fallback.size),
      normalized: fields.boolean("norm_topk_prob", false),
      names: NAMES,
      ...(readShared && { shared: readShared(fields) }),
    });
    return sparseLayers(fields, layers).map((isSparse) => (isSparse ? plan : undefined));
  };
}

function everyLayerOf(plan: ExpertsPlan, layers: number): ExpertsPlan[] {
  return new Array<ExpertsPlan>(layers).fill(plan);
}

const mixtral: Family = {
  modelType: "mixtral",
  architecture: "MixtralForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 131072,
    keyValueHeads: 8,
    eps: 1e-5,
    window: everywhere(),
    experts: (fields, layers) => {
      fields.require("router_jitter_noise", 0, "the router reads what the experts read");
      const intermediateSize = fields.count("intermediate_size");
      const expert = { intermediateSize, normalized: true, names: MIXTRAL_NAMES };
      const plan = readExperts(fields, ["num_local_experts"], { count: 8, perToken: 2 }, expert);
      return everyLayerOf(plan, layers);
    },
  }),
};

const qwen2Moe: Family = {
  modelType: "qwen2_moe",
  architecture: "Qwen2MoeForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 32768,
    keyValueHeads: 16,
    window: (fields, layers) => {
      const used = fields.boolean("use_sliding_window", false);
      const below = fields.number("max_window_layers", 28);
      const types = readLayerTypes(fields, layers, (i) => used && i % 2 === 0 && i < below);
      if (used) {
        const size = fields.count("sliding_window", 4096);
        return types.map((type) => (type === "sliding_attention" ? size : undefined));
      }
      // Written as 0 where it is switched off.
      fields.ignore("sliding_window");
      if (types.includes("sliding_attention"))
        throw fields.error("layer_types", "has sliding layers where use_sliding_window is false");
      return new Array<undefined>(layers).fill(undefined);
    },
    biases: (fields) => ({
      attentionInputs: fields.boolean("qkv_bias", true),
      attentionOutput: false,
      mlp: false,
    }),
    experts: qwenExperts({ count: 60, perToken: 4, size: 1408 }, (fields) => ({
      intermediateSize: fields.count("shared_expert_intermediate_size", 5632),
      mlpInputs: ["mlp.shared_expert.gate_proj", "mlp.shared_expert.up_proj"],
      mlpOutput: "mlp.shared_expert.down_proj",
      gate: "mlp.shared_expert_gate",
    })),
  }),
};

const qwen3Moe: Family = {
  modelType: "qwen3_moe",
  architecture: "Qwen3MoeForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 32768,
    keyValueHeads: 4,
    window: (fields, layers) => {
      // All layers, whatever this says.
      fields.ignore("max_window_layers");
      if (fields.boolean("use_sliding_window", false)) return everywhere(4096)(fields, layers);
      fields.ignore("sliding_window");
      return new Array<undefined>(layers).fill(undefined);
    },
    queryKeyNorm: "by-head",
    names: QUERY_KEY_NORMS,
    biases: attentionBiases,
    experts: qwenExperts({ count: 128, perToken: 8, size: 768 }),
  }),
};

const olmoe: Family = {
  modelType: "olmoe",
  initialization: { ...LLAMA_INITIALIZATION, padding: { key: "pad_token_id", fallback: 1 } },
  architecture: "OlmoeForCausalLM",
  buffers: ROPE_BUFFERS,
  read: readLlamaLike({
    maxPositions: 4096,
    eps: 1e-5,
    queryKeyNorm: "whole",
    names: QUERY_KEY_NORMS,
    biases: attentionBiases,
    experts: (fields, layers) => {
      const expert = {
        intermediateSize: fields.count("intermediate_size"),
        normalized: fields.boolean("norm_topk_prob", false),
        names: NAMES,
      };
      return everyLayerOf(readExperts(fields, COUNT_KEYS, { count: 64, perToken: 8 }, expert), layers);
    },
  }),
};

export const MIXTURES: readonly Family[] = [mixtral, qwen2Moe, qwen3Moe, olmoe];
