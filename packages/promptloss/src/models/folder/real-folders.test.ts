// Model folders as they are found: parts of larger models, half precision, shards, either name of the dtype, vocabularies
// beyond the tokenizer's, pickled weights.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  keep,
  noGrad,
  scope,
  type Tensor,
  writeSafetensors,
  writeShardedSafetensors,
  zeros,
} from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TINY_LLAMA, tinyLlama } from "../../../test/tiny-llama.ts";
import { type TinyGolden, tinyGolden, tinyTextModels, tinyWeights } from "../../../test/tiny-models.ts";
import { parseModelConfig } from "../config/model-config.ts";
import { packSequences } from "../decoder/input.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { loadModel, saveModel } from "./index.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "real-folders-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

// Without gradients, which decide on the order of sums.
function logitsOf(model: CausalLanguageModel, ids: readonly number[]): Float32Array {
  return noGrad(() =>
    scope(() =>
      model
        .logits(model.forward(packSequences([ids])))
        .float()
        .toTypedArray("float32"),
    ),
  );
}

/** The largest difference from the golden's logits, over their range. */
function offOf(logits: Float32Array, golden: Float32Array): number {
  expect(logits.length).toBe(golden.length);
  const range = Math.max(...golden) - Math.min(...golden);
  return logits.reduce((most, value, i) => Math.max(most, Math.abs(value - golden[i]!)), 0) / range;
}

function made(name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function config(path: string, json: object): void {
  writeFileSync(join(path, "config.json"), JSON.stringify(json));
}

describe.each(tinyTextModels)("the text model of a %s", (name) => {
  const golden = tinyGolden(name, "text-models");

  /** The golden's weights under a layout's names, beside weights of other parts. */
  function write(path: string, nameOf: (own: string) => string, others: string): void {
    const tensors = [...tinyWeights(golden)].map(([own, tensor]) => [nameOf(own), tensor.detach()] as const);
    const vision: [string, Tensor] = [`${others}vision_tower.embeddings.weight`, zeros([2, 2])];
    writeSafetensors(join(path, "model.safetensors"), new Map([...tensors, vision]));
    writeFileSync(join(path, "config.json"), golden.configText);
  }

  test.each([
    ["files", (own: string) => `language_model.${own}`, ""],
    ["memory", (own: string) => own.replace(/^model\./, "model.language_model."), "model."],
  ] as const)("is read by the names of %s, and saved alone", (layout, nameOf, others) => {
    const path = made(`${name}-${layout}`);
    write(path, nameOf, others);
    const model = loadModel(path);
    // Both sum in float32, in different orders.
    expect(offOf(logitsOf(model, golden.ids), golden.logits)).toBeLessThan(1e-4);
    const note = `${join(path, "config.json")}: a ${golden.config.model_type} model: its text model is read alone, and is all that is saved`;
    expect(model.notes).toEqual([note]);
    saveModel(model, `${path}-saved`);
    const saved = loadModel(`${path}-saved`);
    expect(saved.notes).toEqual([]);
    expect(logitsOf(saved, golden.ids)).toEqual(logitsOf(model, golden.ids));
    const { model_type: type } = golden.config.text_config as Record<string, unknown>;
    const written = JSON.parse(readFileSync(join(`${path}-saved`, "config.json"), "utf8"));
    expect(written).toMatchObject({ model_type: type, eos_token_id: 2 });
    expect(Object.keys(written)).not.toContain("text_config");
  });

  test("is of one kind, and has nothing else in its file", () => {
    const path = made(`${name}-refused`);
    write(path, (own) => `language_model.${own}`, "encoder.");
    expect(() => loadModel(path)).toThrow("not in the model: encoder.vision_tower.embeddings.weight");
    const text = golden.config.text_config as object;
    config(path, { ...golden.config, text_config: { ...text, model_type: "qwen3" } });
    expect(() => loadModel(path)).toThrow(/text_config\.model_type: of a \w+, \w+ is supported, got "qwen3"/);
    config(path, { ...golden.config, text_config: "text" });
    expect(() => loadModel(path)).toThrow("text_config: expected an object");
  });

  test("has the keys that its config leaves out from the kind's defaults", () => {
    const { vocab_size: size, ...text } = golden.config.text_config as Record<string, unknown>;
    const without: TinyGolden["config"] = { ...golden.config, text_config: text };
    const defaults: Record<string, number> = { gemma3: 262208, llava: 32000 };
    expect(parseModelConfig(golden.config).architecture.vocabularySize).toBe(size);
    if (defaults[name] === undefined) expect(() => parseModelConfig(without)).toThrow("vocab_size");
    else expect(parseModelConfig(without).architecture.vocabularySize).toBe(defaults[name]);
  });
});

test.each(["dtype", "torch_dtype"])(
  "half precision in shards, named by %s, is kept, or widened without loss",
  (key) => {
    const path = made(`half-${key}`);
    const source = tinyLlama();
    const halves = new Map(
      [...source.parameters].map(([name, tensor]) => [name, keep(tensor.detach().to({ dtype: "float16" }))]),
    );
    config(path, { ...TINY_LLAMA, [key]: "float16" });
    writeShardedSafetensors(path, halves, { maxShardBytes: 2000 });
    expect(
      readdirSync(path).filter((name) => /^model-\d+-of-\d+\.safetensors$/.test(name)).length,
    ).toBeGreaterThan(1);
    const [kept, wide] = [loadModel(path), loadModel(path, { dtype: "float32" })];
    for (const [name, half] of halves) {
      expect([kept.parameter(name).dtype, wide.parameter(name).dtype]).toEqual(["float16", "float32"]);
      expect(scope(() => [...wide.parameter(name).toTypedArray("float32")])).toEqual(
        scope(() => [...half.float().toTypedArray("float32")]),
      );
    }
    // float16 has 11 bits of significand.
    const exact = logitsOf(wide, [3, 1, 4, 1, 5]);
    expect(offOf(logitsOf(kept, [3, 1, 4, 1, 5]), exact)).toBeLessThan(2 ** -6);
    saveModel(kept, `${path}-again`);
    const written = JSON.parse(readFileSync(join(`${path}-again`, "config.json"), "utf8"));
    expect(written[key]).toBe("float16");
    expect(loadModel(`${path}-again`).head.dtype).toBe("float16");
  },
);

test.each(["pytorch_model.bin", "pytorch_model.bin.index.json"])("%s is refused with the way out", (name) => {
  const path = made(`pickled-${name}`);
  config(path, TINY_LLAMA);
  writeFileSync(join(path, name), "");
  expect(() => loadModel(path)).toThrow(
    expect.objectContaining({
      message: `${path}: there is no model.safetensors`,
      hint: "pickled weights are not read; save them as safetensors: model.save_pretrained(folder, safe_serialization=True)",
    }),
  );
});
