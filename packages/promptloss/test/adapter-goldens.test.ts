// Adapters of every kind against PEFT: test/python/adapter_goldens.py makes the goldens.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  backward,
  cat,
  fromTypedArray,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  writeSafetensors,
} from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parameterShapes } from "../src/models/config/parameters.ts";
import { KeyValueCache } from "../src/models/decoder/cache.ts";
import {
  type Adapter,
  CausalLanguageModel,
  loadAdapter,
  mergeAdapter,
  packSequences,
  parseModelConfig,
  saveAdapter,
} from "../src/models/index.ts";
import { fillWeights } from "./tiny-models.ts";

interface Golden {
  readonly config: Record<string, unknown>;
  readonly weights: Readonly<Record<string, number[]>>;
  readonly adapterConfig: Record<string, unknown>;
  readonly adapter: Readonly<Record<string, number[]>>;
  readonly sequences: readonly number[][];
  /** Little-endian float32, as base64. */
  readonly logits: string;
  readonly gradients: Readonly<Record<string, string>>;
}

const goldens = new URL("./goldens/adapters/", import.meta.url);
const names = readdirSync(goldens).map((name) => name.replace(/\.json$/, ""));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "adapter-goldens-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function goldenOf(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`${name}.json`, goldens), "utf8"));
}

function filled(name: string, shape: readonly number[]): Tensor {
  return fromTypedArray(fillWeights(name, [...shape]), shape);
}

/** The adapter's folder as PEFT writes it. */
function adapterFolder(name: string, { adapter, adapterConfig }: Golden): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "adapter_config.json"), JSON.stringify(adapterConfig));
  scope(() => {
    const tensors = Object.entries(adapter).map(([key, shape]) => [key, filled(key, shape)] as const);
    writeSafetensors(join(path, "adapter_model.safetensors"), new Map(tensors));
  });
  return path;
}

function modelOf({ config }: Golden): CausalLanguageModel {
  const parsed = parseModelConfig(config);
  const weights = [...parameterShapes(parsed.architecture)].map(
    ([key, shape]) => [key, filled(key, shape)] as const,
  );
  return new CausalLanguageModel(parsed, new Map(weights));
}

function decoded(text: string): number[] {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return [...new Float32Array(bytes.buffer)];
}

/** The largest difference, over the largest value. */
function difference(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(found[i]! - value)), 0) / largest;
}

function logitsOf(model: CausalLanguageModel, sequences: readonly number[][], checkpointing = false): Tensor {
  return model.logits(model.forward(packSequences(sequences), { checkpointing }));
}

function gradientsOf(
  model: CausalLanguageModel,
  adapter: Adapter,
  sequences: readonly number[][],
  checkpointing: boolean,
) {
  const logits = logitsOf(model, sequences, checkpointing);
  backward(logits.mul(filled("weights", logits.shape)).sum());
  const found = new Map(
    [...adapter.parameters].map(([name, { grad }]) => [`base_model.model.${name}`, grad!] as const),
  );
  if (adapter.kind !== "prefix") return found;
  // One tensor in PEFT's file: keys before values, a layer behind the other.
  return new Map([["prompt_embeddings", cat([...found.values()], 1)]]);
}

describe.each(names)("%s", (name) => {
  const golden = goldenOf(name);

  test("logits and gradients are PEFT's, a cache's too, and what is saved is what was read", () =>
    scope(() => {
      const model = modelOf(golden);
      const path = adapterFolder(name, golden);
      const adapter = loadAdapter(path, model.architecture, { trainable: true });
      model.adapter = adapter;
      const logits = decoded(golden.logits);
      expect(
        difference(logitsOf(model, golden.sequences).toTypedArray() as Float32Array, logits),
      ).toBeLessThan(1e-5);
      for (const checkpointing of [false, true]) {
        for (const tensor of adapter.parameters.values()) tensor.grad = null;
        const found = gradientsOf(model, adapter, golden.sequences, checkpointing);
        for (const [key, text] of Object.entries(golden.gradients))
          expect(difference(found.get(key)!.toTypedArray() as Float32Array, decoded(text)), key).toBeLessThan(
            1e-5,
          );
      }
      noGrad(() => {
        expect(
          difference(logitsOf(model, golden.sequences).toTypedArray() as Float32Array, logits),
          "without gradients",
        ).toBeLessThan(1e-5);
        const [first] = golden.sequences as [number[]];
        using cache = new KeyValueCache(model.architecture, 1);
        const steps = first.map((id) =>
          model.logits(model.forward(packSequences([[id]]), { cache })).toTypedArray(),
        );
        const flat = steps.flatMap((each) => [...(each as Float32Array)]);
        expect(difference(flat, logits.slice(0, flat.length)), "with a cache").toBeLessThan(1e-5);
      });
      const copy = join(folder, `${name}-copy`);
      saveAdapter(adapter, copy, { baseModel: "none" });
      const config = JSON.parse(readFileSync(join(copy, "adapter_config.json"), "utf8"));
      expect(config.peft_type).toBe(golden.adapterConfig.peft_type);
      using source = openSafetensors(join(copy, "adapter_model.safetensors"));
      for (const [key, shape] of Object.entries(golden.adapter))
        expect([...(source.tensor(key).toTypedArray() as Float32Array)], key).toEqual([
          ...fillWeights(key, shape),
        ]);
      expect(source.names).toHaveLength(Object.keys(golden.adapter).length);
    }));

  test("merged, the model computes the same, or is refused", () =>
    scope(() => {
      const model = modelOf(golden);
      model.adapter = loadAdapter(adapterFolder(name, golden), model.architecture);
      if (model.adapter.kind === "prefix") {
        expect(() => mergeAdapter(model)).toThrow(/of kind prefix can't be merged/);
        return;
      }
      mergeAdapter(model);
      const found = noGrad(() => logitsOf(model, golden.sequences));
      expect(difference(found.toTypedArray() as Float32Array, decoded(golden.logits))).toBeLessThan(1e-5);
    }));
});
