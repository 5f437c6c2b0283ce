// The blocks of a GGUF file, kept as they are: the model that they make is the one of the floats they expand to.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scope, type Tensor } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/tiny-llama.ts";
import { parseModelConfig } from "../config/model-config.ts";
import { createModel } from "../folder/create-model.ts";
import { hasBlocks, loadModel } from "../folder/load-model.ts";
import { saveModel } from "../folder/save-model.ts";
import { exportGguf } from "../gguf/export/export.ts";
import { importGguf } from "../gguf/import.ts";

let place: string;
function at(name: string): string {
  return join(place, name);
}

/** Compared as one string: a long array element by element takes long. */
function bytesOf(tensor: Tensor): string {
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "promptloss-stored-"));
  // Q4_K has blocks of 256; down projections, whose rows are no multiple of it, are in blocks of 32.
  const config = {
    ...TINY_LLAMA,
    hidden_size: 256,
    intermediate_size: 32,
    num_hidden_layers: 1,
    dtype: "float32",
  };
  const model = createModel(parseModelConfig(config), { seed: 3, trainable: false });
  saveModel(model, at("model"));
  model.free();
  await exportGguf(at("model"), at("model.gguf"), { type: "q4_k_m" });
  importGguf(at("model.gguf"), at("floats"));
  importGguf(at("model.gguf"), at("blocks"), { keepBlocks: true });
});
afterAll(() => rmSync(place, { recursive: true }));

describe("a folder that keeps a GGUF file's blocks", () => {
  test("loads as floats that are those of an expanded one", () => {
    scope(() => {
      const [floats, blocks] = [loadModel(at("floats")), loadModel(at("blocks"))];
      const { architecture } = floats;
      expect(["floats", "blocks"].map((name) => hasBlocks(at(name), architecture))).toEqual([false, true]);
      expect(blocks.notes).toEqual(floats.notes);
      for (const [name, tensor] of floats.parameters) {
        expect(blocks.parameter(name).dtype).toBe("bfloat16");
        expect(bytesOf(blocks.parameter(name))).toBe(bytesOf(tensor));
      }
    });
  });

  test("and as stored, its linear weights in the blocks of the file", () => {
    scope(() => {
      const [floats, kept] = [loadModel(at("floats")), loadModel(at("blocks"), { storage: "as-stored" })];
      expect(kept.blocks.size).toBe(7);
      expect(kept.keptIn).toBe("bfloat16, Q4_K, Q6_K, Q8_0");
      for (const [name, weight] of kept.blocks)
        expect(bytesOf(weight.expand("bfloat16"))).toBe(bytesOf(floats.parameter(name)));
    });
  });

  test("quantizes otherwise from what the blocks expand to", () => {
    scope(() => {
      const [floats, blocks] = ["floats", "blocks"].map((name) => loadModel(at(name), { storage: "int8" }));
      const name = "model.layers.0.self_attn.k_proj.weight";
      const [a, b] = [floats!, blocks!].map((model) =>
        model.blocks.get(name)!.expand("float32").toTypedArray("float32"),
      );
      // The floats were rounded to bfloat16 in between.
      a!.forEach((each, i) => {
        expect(Math.abs(each - b![i]!)).toBeLessThan(0.02);
      });
    });
  });

  test("has none for weights that lie the other way round, as GPT-2's do", async () => {
    const shape = { n_embd: 32, n_head: 2, n_layer: 1, n_positions: 16, vocab_size: 32 };
    const config = parseModelConfig({ model_type: "gpt2", architectures: ["GPT2LMHeadModel"], ...shape });
    const model = createModel(config, { seed: 3, trainable: false });
    saveModel(model, at("gpt2"));
    model.free();
    await exportGguf(at("gpt2"), at("gpt2.gguf"), { type: "q8_0" });
    importGguf(at("gpt2.gguf"), at("gpt2-floats"));
    importGguf(at("gpt2.gguf"), at("gpt2-blocks"), { keepBlocks: true });
    scope(() => {
      const [floats, blocks] = [loadModel(at("gpt2-floats")), loadModel(at("gpt2-blocks"))];
      // The embedding alone is in blocks.
      expect(hasBlocks(at("gpt2-blocks"), blocks.architecture)).toBe(false);
      for (const [name, tensor] of floats.parameters)
        expect(bytesOf(blocks.parameter(name))).toBe(bytesOf(tensor));
      expect(() => loadModel(at("gpt2-blocks"), { storage: "as-stored" })).toThrow(/none of its weights/);
    });
  });

  test("is written as a GGUF file again", async () => {
    await exportGguf(at("blocks"), at("again.gguf"), { type: "f32" });
    importGguf(at("again.gguf"), at("again"), { dtype: "bfloat16" });
    const [again, floats] = ["again", "floats"].map((name) =>
      readFileSync(join(at(name), "model.safetensors")),
    );
    expect(again!.equals(floats!)).toBe(true);
  });
});
