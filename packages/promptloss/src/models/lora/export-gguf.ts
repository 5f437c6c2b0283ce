// A PEFT adapter → a GGUF adapter, which llama.cpp puts over the base model's own file.
import { noGrad, scope, type Tensor } from "@promptloss/torch";
import { readModelConfig } from "../config/read-config.ts";
import { ModelError } from "../errors.ts";
import { quantize } from "../gguf/blocks/quantize.ts";
import { describeModel } from "../gguf/export/describe.ts";
import type { ExportedGguf } from "../gguf/export/export.ts";
import { FILE_TYPES } from "../gguf/export/types.ts";
import { type BlockType, blockTypeNamed } from "../gguf/format/block-types.ts";
import { float32, type Typed, text, uint32, type WrittenTensor, writeGguf } from "../gguf/format/write.ts";
import { pairedRow, tensorNames } from "../gguf/tensor-names.ts";
import { checkBase } from "./merge-folder.ts";
import { loadAdapter } from "./peft.ts";

export interface ExportAdapterOptions {
  readonly type: "f32" | "f16" | "bf16";
  /** Refuse a config of the base model with keys that are not known here. */
  readonly strict?: boolean | undefined;
}

/**
 * Writes an adapter's matrices, with alpha such that llama.cpp's scale, alpha / rank, is the adapter's own.
 * @param base the folder of the model that it was trained on
 * @throws {ModelError} for an adapter of another model, {GgufError} for a model that llama.cpp would compute otherwise
 */
export function exportAdapterGguf(
  folder: string,
  base: string,
  path: string,
  { type, strict = false }: ExportAdapterOptions,
): ExportedGguf {
  const config = readModelConfig(base, { strict });
  const { architecture, notes } = describeModel(config, base);
  const more = checkBase(folder, base);
  const adapter = loadAdapter(folder, config.architecture);
  try {
    if (adapter.kind !== "lora")
      throw new ModelError(`${folder}: llama.cpp reads adapters of kind lora, and this is ${adapter.kind}`, {
        hint: "promptloss merge, where the kind can be merged, then export the merged model",
      });
    const names = tensorNames(
      config.architecture,
      [...adapter.pairs.keys()].map((module) => `${module}.weight`),
    );
    const block = blockTypeNamed(type.toUpperCase());
    const tensors = [...adapter.pairs].flatMap(([module, { a, b }]) => {
      const { name, pairedHeads } = names.get(`${module}.weight`)!;
      const heads = architecture.neighborPairs ? pairedHeads : undefined;
      return [matrix(`${name}.lora_a`, a, block), matrix(`${name}.lora_b`, b, block, heads)];
    });
    const metadata = new Map<string, Typed>([
      ["general.type", text("adapter")],
      ["general.architecture", text(architecture.name)],
      ["general.file_type", uint32(FILE_TYPES[type])],
      ["adapter.type", text("lora")],
      ["adapter.lora.alpha", float32(adapter.scale * adapter.settings.rank)],
    ]);
    const bytes = writeGguf(path, metadata, tensors);
    const all = [...more, ...config.notes, ...notes];
    return { architecture: architecture.name, type, tensors: tensors.length, bytes, notes: all };
  } finally {
    adapter.free();
  }
}

/** @param heads whose rows lie in neighboring pairs in the file */
function matrix(name: string, tensor: Tensor, type: BlockType, heads?: number): WrittenTensor {
  const [rows, columns] = tensor.shape as [number, number];
  return {
    ...{ name, type, shape: [rows, columns] },
    write: (put) => {
      const values = noGrad(() => scope(() => tensor.float().cpu().toTypedArray("float32"))) as Float32Array;
      const arranged = new Float32Array(values.length);
      for (let row = 0; row < rows; row++) {
        const to = heads === undefined ? row : pairedRow(row, rows, heads);
        arranged.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
      }
      const out = new Uint8Array(values.length * type.bytes);
      quantize(type, arranged, out);
      put(out);
    },
  };
}
