// Matrices in few bits a weight, kept as rows of blocks: products with them, and to and from floats.

import { operator } from "../dispatcher.ts";
import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

/** NF4 is QLoRA's 4-bit NormalFloat with double quantization; the others are GGUF's, by ggml's names. */
export const BLOCK_KINDS = [
  ...["NF4", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"],
  ...["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS"],
] as readonly BlockKind[];

export type BlockKind =
  | "NF4"
  | `Q${4 | 5}_${0 | 1}`
  | "Q8_0"
  | `Q${2 | 3 | 4 | 5 | 6}_K`
  | "IQ1_S"
  | "IQ1_M"
  | "IQ2_XXS"
  | "IQ2_XS"
  | "IQ2_S"
  | "IQ3_XXS"
  | "IQ3_S"
  | "IQ4_NL"
  | "IQ4_XS";

/** The kinds that floats are written in. */
export type WrittenBlockKind = "NF4" | "Q8_0";

const native = {
  linear: operator<Tensor>("promptloss::block_linear"),
  expand: operator<Tensor>("promptloss::expand_blocks"),
  quantize: operator<Tensor>("promptloss::quantize_blocks"),
};

/**
 * input · weightᵀ + bias with a frozen weight in blocks, which is expanded in the cache and never in memory where
 * `linear` has products of its own, and a weight at a time elsewhere. Differentiable in the input alone; in bfloat16 under
 * autocast.
 * @param input [..., inputs]
 * @param blocks uint8, [outputs, bytes of a row]
 * @param bias [outputs], frozen too
 * @throws {TorchError} where rows have another length than `inputs` columns of the kind take
 */
export function blockLinear(
  input: Tensor,
  blocks: Tensor,
  kind: BlockKind,
  bias: Tensor | null = null,
): Tensor {
  return native.linear(input, blocks, kind, bias);
}

/**
 * All elements of a matrix in blocks, [rows, columns].
 * @param blocks uint8, [rows, bytes of a row]
 * @throws {TorchError} as {@link blockLinear}
 */
export function expandBlocks(blocks: Tensor, kind: BlockKind, columns: number, dtype: DType): Tensor {
  return native.expand(blocks, kind, columns, dtype);
}

/**
 * A matrix of floats as rows of blocks, uint8 [rows, bytes of a row].
 * @param weight [rows, columns], whole blocks of columns: 64 for NF4, 32 for Q8_0
 * @throws {TorchError} for another shape
 */
export function quantizeBlocks(weight: Tensor, kind: WrittenBlockKind): Tensor {
  return native.quantize(weight, kind);
}
