// Models whose linear weights are kept in few bits, against the same models with the floats that these expand to.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad, randnLike, scope, type Tensor } from "@promptloss/torch";
import { expandNormalFloat, quantizeNormalFloat } from "@promptloss/torch/reference";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/tiny-llama.ts";
import { memoryEstimate } from "../../training/memory-estimate.ts";
import type { TrainingRun } from "../../training/run.ts";
import { parseModelConfig } from "../config/model-config.ts";
import { packSequences } from "../decoder/input.ts";
import { CausalLanguageModel } from "../decoder/model.ts";
import { createModel } from "../folder/create-model.ts";
import { loadModel } from "../folder/load-model.ts";
import { saveModel } from "../folder/save-model.ts";
import { dequantize } from "../gguf/blocks/dequantize.ts";
import { quantize } from "../gguf/blocks/quantize.ts";
import { blockTypeNamed } from "../gguf/format/block-types.ts";
import { createAdapter } from "../lora/adapter.ts";
import { mergeAdapter } from "../lora/peft.ts";

/** Down projections take in 96, which NF4's blocks of 64 do not fit. */
const LLAMA = { ...TINY_LLAMA, hidden_size: 64, intermediate_size: 96, dtype: "float32" };
const GPT2 = {
  ...{ architectures: ["GPT2LMHeadModel"], model_type: "gpt2", vocab_size: 32, n_embd: 64, n_layer: 2 },
  ...{ n_head: 2, n_positions: 64, initializer_range: 0.3, dtype: "float32" },
};

let place: string;
function folder(name: string): string {
  return join(place, name);
}

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "promptloss-blocks-"));
  for (const [name, config] of Object.entries({ llama: LLAMA, gpt2: GPT2 })) {
    const model = createModel(parseModelConfig(config), { seed: 3, trainable: false });
    saveModel(model, folder(name));
    model.free();
  }
});
afterAll(() => rmSync(place, { recursive: true }));

/** The same model in floats. */
function expanded(model: CausalLanguageModel): CausalLanguageModel {
  const weights = model.weightNames.map(
    (name) => [name, model.blocks.get(name)?.expand("float32") ?? model.parameter(name)] as const,
  );
  return new CausalLanguageModel(model.config, new Map(weights));
}

const pack = packSequences([
  [3, 1, 4, 1, 5],
  [9, 2, 6],
]);

function values(tensor: Tensor): number[] {
  return [...tensor.toTypedArray("float32")];
}

function widestOf(numbers: readonly number[]): number {
  return Math.max(...numbers.map(Math.abs));
}

/** Within float32's roundings of some hundred terms that are as large as `scale`. */
function expectClose(found: readonly number[], wanted: readonly number[], scale = widestOf(wanted)): void {
  expect(found).toHaveLength(wanted.length);
  expect(widestOf(found.map((each, i) => each - wanted[i]!))).toBeLessThan(1e-5 * Math.max(1, scale));
}

describe.each(["llama", "gpt2"])("%s", (name) => {
  test.each(["nf4", "int8"] as const)(
    "in %s computes as with what it expands to, forward and for an adapter",
    (storage) => {
      scope(() => {
        const model = loadModel(folder(name), { storage });
        expect(model.blocks.size).toBe(
          name === "llama" && storage === "nf4"
            ? 12
            : model.architecture.layers.length * (name === "llama" ? 7 : 4),
        );
        const twin = expanded(model);
        expectClose(values(noGrad(() => model.forward(pack))), values(noGrad(() => twin.forward(pack))));
        for (const each of [model, twin])
          each.adapter = createAdapter(model.architecture, { rank: 2 }, { seed: 4 });
        manualSeed(5);
        // Not the squares' sum, which a norm at the end holds still: gradients of 0 would be compared.
        const upstream = randnLike(noGrad(() => twin.forward(pack)));
        for (const each of [model, twin]) {
          // B is 0 at first, and A would have no gradient.
          for (const { b } of each.adapter!.pairs.values()) noGrad(() => void b.fill_(0.1));
          each.forward(pack).mul(upstream).sum().backward();
        }
        // A gradient may be small because its terms cancel out, which are as large as those of the others.
        const gradients = [...twin.adapter!.parameters].map(
          ([name, { grad }]) => [name, values(grad!)] as const,
        );
        const scale = Math.max(...gradients.map(([, numbers]) => widestOf(numbers)));
        expect(scale).toBeGreaterThan(0.1);
        expect(gradients.map(([name]) => name)).toEqual([...model.adapter!.parameters.keys()]);
        for (const [name, wanted] of gradients)
          expectClose(values(model.adapter!.parameters.get(name)!.grad!), wanted, scale);
        for (const { requiresGrad } of model.parameters.values()) expect(requiresGrad).toBe(false);
      });
    },
  );
});

test("blocks are those of the plain quantizers", () => {
  scope(() => {
    const plain = loadModel(folder("llama"));
    const name = "model.layers.0.mlp.up_proj.weight";
    const weight = Float32Array.from(values(plain.parameter(name)));
    const nf4 = loadModel(folder("llama"), { storage: "nf4" }).blocks.get(name)!;
    expect(nf4.expand("float32").toTypedArray()).toEqual(
      expandNormalFloat(quantizeNormalFloat(weight, 64), 64),
    );
    const int8 = loadModel(folder("llama"), { storage: "int8" }).blocks.get(name)!;
    const type = blockTypeNamed("Q8_0");
    const bytes = new Uint8Array((weight.length / type.elements) * type.bytes);
    quantize(type, weight, bytes);
    expect(int8.blocks.toTypedArray()).toEqual(bytes);
    const out = new Float32Array(weight.length);
    dequantize(type, bytes, out);
    expect(int8.expand("float32").toTypedArray()).toEqual(out);
  });
});

test("rows that are no whole blocks stay in floats, and a note says how many", () => {
  scope(() => {
    const model = loadModel(folder("llama"), { storage: "nf4" });
    expect(model.parameters.has("model.layers.0.mlp.down_proj.weight")).toBe(true);
    expect(model.notes.join()).toContain("2 of 14 linear weights stay in floats");
    expect(model.keptIn).toBe("float32, NF4");
  });
});

test("saving writes what blocks expand to, with an adapter merged where that is asked for", () => {
  scope(() => {
    const model = loadModel(folder("llama"), { storage: "nf4" });
    const name = "model.layers.1.self_attn.q_proj.weight";
    model.adapter = createAdapter(model.architecture, { rank: 2 }, { seed: 4 });
    for (const { b } of model.adapter.pairs.values()) noGrad(() => void b.fill_(0.1));
    saveModel(model, folder("merged"), { merge: true });
    const wanted = model.adapter.merged(name, model.blocks.get(name)!.expand("float32"))!;
    expect(loadModel(folder("merged")).parameter(name).toTypedArray()).toEqual(wanted.toTypedArray());
    expect(() => mergeAdapter(model)).toThrow(/few bits.*no sum/s);
    expect(() => model.parameter(name)).toThrow(/kept in blocks of NF4/);
  });
});

test("what cannot be kept in blocks is refused", () => {
  expect(() => loadModel(folder("llama"), { storage: "as-stored" })).toThrow(/none of its weights/);
  expect(() => loadModel(folder("llama"), { storage: "nf4", trainable: true })).toThrow(/frozen/);
});

test("the estimate of memory counts blocks by their bytes", () => {
  scope(() => {
    const [floats, blocks] = [undefined, "nf4" as const].map((storage) => {
      const model = loadModel(folder("llama"), { storage });
      const settings = { microBatch: { rows: 1 }, compute: undefined };
      const run = { model, settings, rows: { lengths: Int32Array.of(1) } } as unknown as TrainingRun;
      return { model, weights: memoryEstimate(run, { sharding: "none", processes: 1 }).weights };
    }) as [{ model: CausalLanguageModel; weights: number }, { model: CausalLanguageModel; weights: number }];
    const saved = [...blocks.model.blocks.values()].reduce(
      (sum, { numel, bytes }) => sum + 4 * numel - bytes,
      0,
    );
    expect(floats.weights - blocks.weights).toBe(saved);
  });
});
