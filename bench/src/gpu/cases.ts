// What is measured on a GPU: shapes × what is trained × length × prompt loss weight; and the same at toy size, for a run that
// only shows that the bench runs.
import { llamaConfig } from "../lib/llama-config.ts";

export type Size = "1b" | "7b" | "toy";
export type Method = "lora" | "full";
export type Side = "ours" | "bare" | "trlBest";

export const SIDES: readonly Side[] = ["ours", "bare", "trlBest"];

export interface GpuCase {
  readonly size: Size;
  readonly method: Method;
  /** Tokens of each row. */
  readonly length: number;
  readonly promptLossWeight: number;
}

function llama(
  hiddenSize: number,
  intermediateSize: number,
  layers: number,
  heads: number,
  vocabulary: number,
) {
  const shape = { hiddenSize, intermediateSize, layers, heads, vocabulary, maxPositions: 4096, tied: false };
  return llamaConfig(shape);
}

/** LLaMA 1's 7 B, and a model of its kind with 1.1 B. */
export const CONFIGS: Readonly<Record<Size, ReturnType<typeof llama>>> = {
  "1b": llama(2048, 5632, 20, 32, 32000),
  "7b": llama(4096, 11008, 32, 32, 32000),
  toy: llama(64, 160, 2, 4, 512),
};

/** Tokens of an optimizer step, which is one micro-batch. */
const STEP_TOKENS: Readonly<Record<Size, number>> = { "1b": 16384, "7b": 8192, toy: 128 };

export function casesOf(
  sizes: readonly Size[],
  methods: readonly Method[],
  lengths: readonly number[],
  weights: readonly number[],
): GpuCase[] {
  return sizes.flatMap((size) =>
    methods.flatMap((method) =>
      lengths.flatMap((length) =>
        weights.map((promptLossWeight) => ({ size, method, length, promptLossWeight })),
      ),
    ),
  );
}

export function nameOf({ size, method, length, promptLossWeight }: GpuCase): string {
  return `${size} ${method} ${length} ${promptLossWeight}`;
}

/** Rows of a step. */
export function rowsOf({ size, length }: GpuCase): number {
  return Math.max(1, Math.floor(STEP_TOKENS[size] / length));
}

/** Whether layers are computed again: where 7 B are trained whole, activations have no room beside the optimizer's state. */
export function checkpoints({ size, method }: GpuCase): boolean {
  return size === "7b" && method === "full";
}
