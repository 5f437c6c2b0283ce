// What is measured: shapes × what is trained × precision × prompt loss weight, and how long each case runs.

export type Shape = "small" | "large";
export type Side = "ours" | "bare" | "trl" | "trlBest";

export interface Case {
  readonly shape: Shape;
  readonly lora: boolean;
  readonly precision: "fp32" | "bf16";
  readonly promptLossWeight: number;
}

export interface Length {
  /** Optimiser steps a round. */
  readonly chunk: number;
  /** Measured rounds, after one of warm-up. */
  readonly rounds: number;
}

/** Rows an optimiser step, of all but TRL at its best, which has twice as many. */
export const BATCH = 8;
/** Tokens of the longest row; longer ones are left out. stories15M's window. */
export const MAX_LENGTH = 256;
export const LORA_RANK = 8;
export const LEARNING_RATE = 2e-5;

/** 148 M parameters, LLaMA's vocabulary. */
export const LARGE_CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_act: "silu",
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 14,
  num_attention_heads: 12,
  num_key_value_heads: 12,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
  vocab_size: 32000,
  torch_dtype: "bfloat16",
};

export const casesOf = (shapes: readonly Shape[], quick: boolean): Case[] =>
  shapes.flatMap((shape) =>
    [false, true].flatMap((lora) =>
      (["bf16", "fp32"] as const).flatMap((precision) =>
        [0.1, 0, 1]
          .map((promptLossWeight) => ({ shape, lora, precision, promptLossWeight }))
          .filter((each) => !quick || inQuick(each)),
      ),
    ),
  );

/** The large model, and fp32, at a weight of 0.1 alone; the large one without LoRA. */
const inQuick = ({ shape, lora, precision, promptLossWeight }: Case): boolean =>
  promptLossWeight === 0.1 || (shape === "small" && precision === "bf16" && !lora)
    ? !(shape === "large" && (lora || precision === "fp32"))
    : false;

export const lengthOf = (shape: Shape, quick: boolean): Length => {
  if (quick) return { chunk: shape === "small" ? 2 : 1, rounds: 3 };
  return { chunk: shape === "small" ? 5 : 2, rounds: 7 };
};

/** TRL is measured on the small model; at its best it trains in bf16. */
export const sidesOf = ({ shape, precision }: Case): Side[] => {
  if (shape === "large") return ["ours", "bare"];
  return precision === "bf16" ? ["ours", "bare", "trl", "trlBest"] : ["ours", "bare", "trl"];
};
