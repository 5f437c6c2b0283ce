// Which block type each tensor gets, by the type that is asked for. As llama.cpp's own quantizer has it: norms and biases
// stay float32, rows that are no whole blocks of 256 get blocks of 32 with a bit more.
import { type BlockType, blockTypeNamed } from "../format/block-types.ts";

export const EXPORT_TYPES = ["f32", "f16", "bf16", "q8_0", "q4_k_m"] as const;
export type ExportType = (typeof EXPORT_TYPES)[number];

/** `general.file_type`, llama.cpp's llama_ftype. */
export const FILE_TYPES: Readonly<Record<ExportType, number>> = {
  f32: 0,
  f16: 1,
  bf16: 32,
  q8_0: 7,
  q4_k_m: 15,
};

const WHOLE: Readonly<Record<Exclude<ExportType, "q4_k_m">, string>> = {
  f32: "F32",
  f16: "F16",
  bf16: "BF16",
  q8_0: "Q8_0",
};

interface Quantized {
  readonly layers: number;
  readonly tied: boolean;
}

/** Where rows are no whole blocks of 256. */
const NARROW: Readonly<Record<string, string>> = { Q4_K: "Q5_0", Q6_K: "Q8_0" };

/**
 * @param model how many layers it has, of which an eighth at each end and every third between get more bits where it
 *   matters most, and whether its embedding is the head too
 */
export function tensorType(
  type: ExportType,
  name: string,
  shape: readonly number[],
  model: Quantized,
): BlockType {
  if (shape.length < 2 || name === "position_embd.weight") return blockTypeNamed("F32");
  const wanted = type === "q4_k_m" ? mixed(name, model) : WHOLE[type];
  const block = blockTypeNamed(wanted);
  const row = shape.at(-1)!;
  if (row % block.elements === 0) return block;
  const narrow = blockTypeNamed(NARROW[wanted] ?? "F16");
  return row % narrow.elements === 0 ? narrow : blockTypeNamed("F16");
}

function mixed(name: string, { layers, tied }: Quantized): string {
  if (name === "output.weight" || (tied && name === "token_embd.weight")) return "Q6_K";
  const layer = Number(/^blk\.(\d+)\.(attn_v|ffn_down)\.weight$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(layer)) return "Q4_K";
  const eighth = Math.floor(layers / 8);
  const more = layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
  return more ? "Q6_K" : "Q4_K";
}
