// What is measured: shapes × what is trained × precision × prompt loss weight, what a token costs by length, batch and
// model, and how long each case runs.
import { llamaConfig } from "../lib/llama-config.ts";

export type Shape = "small" | "medium" | "large";
export type Side = "ours" | "bare" | "trl" | "trlBest";

export interface Case {
  readonly shape: Shape;
  readonly lora: boolean;
  readonly precision: "float32" | "bfloat16";
  readonly promptLossWeight: number;
  /** Rows an optimizer step. TRL at its best has twice as many. */
  readonly batch: number;
  /** Tokens of the longest row. */
  readonly maxLength: number;
  /** Whether rows are made of several, so that each has `maxLength` tokens; otherwise longer ones are left out. */
  readonly full: boolean;
}

export interface Length {
  /** Optimizer steps a round. */
  readonly chunk: number;
  /** Measured rounds, after one of warm-up. */
  readonly rounds: number;
}

export const BATCH = 8;
/** stories15M's window. */
export const MAX_LENGTH = 256;
export const LORA_RANK = 8;
export const LEARNING_RATE = 2e-5;

function llama(hiddenSize: number, intermediateSize: number, layers: number, heads: number, tied: boolean) {
  // LLaMA's vocabulary.
  const shape = { hiddenSize, intermediateSize, layers, heads, tied, vocabulary: 32000, maxPositions: 1024 };
  return llamaConfig(shape);
}

/** Shapes whose weights are drawn: 42 M parameters, as stories42M has, and 148 M. */
export const DRAWN = {
  medium: llama(512, 1376, 8, 8, true),
  large: llama(768, 2048, 14, 12, false),
};

/** Short rows, whose tokens' costs the shapes are compared by. */
const USUAL = { batch: BATCH, maxLength: MAX_LENGTH, full: false };

export function casesOf(shapes: readonly Shape[], quick: boolean): Case[] {
  return shapes.flatMap((shape) =>
    [false, true].flatMap((lora) =>
      (["bfloat16", "float32"] as const).flatMap((precision) =>
        [0.1, 0, 1]
          .map((promptLossWeight) => ({ ...USUAL, shape, lora, precision, promptLossWeight }))
          .filter((each) => !quick || inQuick(each)),
      ),
    ),
  );
}

/** The large model, and fp32, at a weight of 0.1 alone; the large one without LoRA. */
function inQuick({ shape, lora, precision, promptLossWeight }: Case): boolean {
  return promptLossWeight === 0.1 || (shape === "small" && precision === "bfloat16" && !lora)
    ? !(shape === "large" && (lora || precision === "float32"))
    : false;
}

/** One thing varied at a time, all else as in the case that is full fine-tuning in bf16 at 0.1. */
export function costCasesOf(): { readonly axis: string; readonly case: Case }[] {
  const base: Case = {
    ...{ shape: "small", lora: false, precision: "bfloat16", promptLossWeight: 0.1 },
    ...{ batch: BATCH, maxLength: MAX_LENGTH, full: true },
  };
  return [
    ...[64, 128, 256].map((maxLength) => ({
      axis: "length",
      // As many tokens a step at every length.
      case: { ...base, maxLength, batch: (BATCH * MAX_LENGTH) / maxLength },
    })),
    ...[1, 4, 16].map((batch) => ({ axis: "batch", case: { ...base, batch } })),
    ...(["medium", "large"] as const).map((shape) => ({ axis: "model", case: { ...base, shape } })),
  ];
}

export function lengthOf(shape: Shape, rounds: number): Length {
  return {
    chunk: shape === "small" ? 3 : 1,
    rounds,
  };
}

/** TRL is measured on the small model; at its best it trains in bf16. */
export function sidesOf({ shape, precision }: Case): Side[] {
  if (shape !== "small") return ["ours", "bare"];
  return precision === "bfloat16" ? ["ours", "bare", "trl", "trlBest"] : ["ours", "bare", "trl"];
}
