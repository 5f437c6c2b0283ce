// Model folders: what is written is read back, by us and by transformers; what does not fit is named.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  keep,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  writeSafetensors,
  zeros,
} from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { TINY_LLAMA, tinyLlama } from "../../../test/tiny-llama.ts";
import { tinyEncoderDecoders, tinyGolden, tinyModel, tinyModels } from "../../../test/tiny-models.ts";
import { readRules } from "../../../test/transformers-rules.ts";
import { packSequences } from "../decoder/input.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { ModelWeightsError } from "../errors.ts";
import { createAdapter, loadAdapter, mergeAdapter, saveAdapter } from "../index.ts";
import { loadModel, saveModel } from "./index.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "models-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const IDS = [3, 1, 4, 1, 5, 9, 2, 6];

/** Of these an encoder reads the first. */
const SPLIT = 3;

// Without gradients, which decide on the order of sums.
function logitsOf(model: CausalLanguageModel): number[] {
  const from = model.architecture.encoder === undefined ? 0 : SPLIT - 1;
  const input = { ...packSequences([IDS]), splits: Int32Array.of(SPLIT) };
  const read = () => model.logits(model.forward(input).narrow(0, from, IDS.length - from));
  return [...noGrad(() => scope(() => read().toTypedArray("float32")))];
}

describe("saveModel and loadModel", () => {
  test("keep every weight, in one file and in shards, tied and not", () => {
    for (const tied of [false, true]) {
      const model = tinyLlama({ config: { tie_word_embeddings: tied } });
      for (const maxShardBytes of [undefined, 2000]) {
        const path = join(folder, `kept-${tied}-${maxShardBytes}`);
        saveModel(model, path, maxShardBytes === undefined ? {} : { maxShardBytes });
        const shards = readdirSync(path).filter((name) => name.startsWith("model-")).length;
        expect(shards > 1).toBe(maxShardBytes !== undefined);
        const read = loadModel(path);
        expect([...read.parameters.keys()].sort()).toEqual([...model.parameters.keys()].sort());
        expect(logitsOf(read)).toEqual(logitsOf(model));
        read.free();
      }
    }
  });

  test("take the config's dtype unless told another, and say so in the config", () => {
    const path = join(folder, "dtypes");
    const model = tinyLlama({ config: { torch_dtype: "bfloat16" } });
    saveModel(model, path);
    expect(loadModel(path).head.dtype).toBe("bfloat16");
    saveModel(model, path, { dtype: "float16" });
    expect(JSON.parse(readFileSync(join(path, "config.json"), "utf8")).torch_dtype).toBe("float16");
    const read = loadModel(path, { dtype: "float32", trainable: true });
    expect([read.head.dtype, read.head.requiresGrad]).toEqual(["float32", true]);
  });

  test("name what is missing, what is not known, and what has another shape", () => {
    const path = join(folder, "misfit");
    saveModel(tinyLlama(), path);
    const file = join(path, "model.safetensors");
    const tensors = scope(() => {
      using source = openSafetensors(file);
      return new Map(source.names.map((name) => [name, keep(source.tensor(name).clone())]));
    });
    tensors.delete("model.norm.weight");
    tensors.set("model.layers.0.mlp.down_proj.weight", zeros([2, 2]));
    tensors.set("model.layers.7.mlp.up_proj.weight", zeros([1]));
    // A buffer that old files hold.
    tensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", zeros([4]));
    writeSafetensors(file, tensors);
    try {
      loadModel(path);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ModelWeightsError);
      expect(error).toMatchObject({
        missing: ["model.norm.weight"],
        unexpected: ["model.layers.7.mlp.up_proj.weight"],
        mismatched: ["model.layers.0.mlp.down_proj.weight: [2, 2], expected [16, 24]"],
      });
    }
  });

  test("read files of the model without its head's prefix", () => {
    const path = join(folder, "base");
    const model = tinyLlama({ config: { tie_word_embeddings: true } });
    saveModel(model, path);
    const short = [...model.parameters].map(
      ([name, tensor]) => [name.replace(/^model\./, ""), tensor] as const,
    );
    writeSafetensors(join(path, "model.safetensors"), new Map(short));
    expect(logitsOf(loadModel(path))).toEqual(logitsOf(model));
  });

  test("read T5's and BART's embedding by any of its names, and a head that a tied config does not have", () => {
    for (const name of ["t5", "bart", "t5-1.1"]) {
      const path = join(folder, `named-${name}`);
      const model = tinyModel(tinyGolden(name, "encoder-decoders"));
      saveModel(model, path);
      expect(logitsOf(loadModel(path))).toEqual(logitsOf(model));
      const { embedding } = model.architecture.names;
      const prefix = embedding.replace(/shared$/, "");
      const renamed = [...model.parameters].map(
        ([key, tensor]) =>
          [key.replace(/^(model\.)?shared\./, `${prefix}encoder.embed_tokens.`), tensor] as const,
      );
      const file = join(path, "model.safetensors");
      writeSafetensors(
        file,
        new Map([
          ...renamed,
          [`${prefix}decoder.embed_tokens.weight`, model.parameter(`${embedding}.weight`)],
        ]),
      );
      expect(logitsOf(loadModel(path))).toEqual(logitsOf(model));
      if (name !== "t5") continue;
      // As transformers 5: the file's own head, and what a T5 scales it scales on.
      const head = noGrad(() => scope(() => keep(model.parameter("shared.weight").mul(2))));
      writeSafetensors(file, new Map([...renamed, ["lm_head.weight", head]]));
      const again = join(folder, "named-again");
      saveModel(loadModel(path), again);
      expect(JSON.parse(readFileSync(join(again, "config.json"), "utf8"))).toMatchObject({
        tie_word_embeddings: false,
        scale_decoder_outputs: true,
      });
      const doubled = logitsOf(model).map((value) => 2 * value);
      for (const each of [path, again]) expect(logitsOf(loadModel(each))).toEqual(doubled);
    }
  });

  test("say what a folder lacks", () => {
    const path = join(folder, "lacking");
    expect(() => loadModel(path)).toThrow("there is no such model folder");
    saveModel(tinyLlama(), path);
    rmSync(join(path, "model.safetensors"));
    expect(() => loadModel(path)).toThrow("there is no model.safetensors");
    writeFileSync(join(path, "config.json"), "{");
    expect(() => loadModel(path)).toThrow("config.json: is not JSON");
  });

  test("keys that nothing reads are named in one note; strict refuses them, and what changes results always", () => {
    const path = join(folder, "keys");
    saveModel(tinyLlama(), path);
    const write = (keys: object) =>
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...TINY_LLAMA, ...keys }));
    // TinyLlama's own.
    write({ unk_token_id: 0, _model_name_or_path: "a", torch_dtype: "float32", alibi: false });
    expect(loadModel(path, { strict: false }).notes).toEqual([]);
    write({ rope_thta: 5, made_by: "me" });
    expect(loadModel(path).notes).toEqual([
      `${join(path, "config.json")}: not known here, and taken to change nothing: rope_thta, made_by`,
    ]);
    expect(() => loadModel(path, { strict: true })).toThrow("rope_thta");
    for (const keys of [
      { num_local_experts: 8 },
      { clip_qkv: 8 },
      { alibi: true },
      { residual_multiplier: 0.2 },
    ]) {
      write(keys);
      expect(() => loadModel(path)).toThrow(`${Object.keys(keys)[0]}: changes what the model computes`);
    }
  });

  test("a tied model's head counts as in transformers: another one is used, the same is tied, alone it is both", () => {
    const { heads } = readRules();
    const path = join(folder, "heads");
    const source = tinyLlama({ config: { tie_word_embeddings: false } });
    const [table, own] = ["model.embed_tokens.weight", "lm_head.weight"].map((name) =>
      source.parameter(name),
    );
    const others = [...source.parameters].filter(([name]) => !/embed_tokens|lm_head/.test(name));
    const files = {
      different: [
        ["model.embed_tokens.weight", table!],
        ["lm_head.weight", own!],
      ],
      equal: [
        ["model.embed_tokens.weight", table!],
        ["lm_head.weight", table!.detach().clone()],
      ],
      alone: [["lm_head.weight", table!]],
    } as const;
    for (const [name, tensors] of Object.entries(files)) {
      saveModel(source, path);
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...TINY_LLAMA, tie_word_embeddings: true }));
      writeSafetensors(join(path, "model.safetensors"), new Map([...others, ...tensors]));
      const model = loadModel(path);
      expect([name, model.architecture.tied]).toEqual([name, heads[name as keyof typeof heads].tied]);
      const expected = name === "different" ? own! : table!;
      const values = (tensor: Tensor) => [...tensor.detach().toTypedArray("float32")];
      expect(values(model.head)).toEqual(values(expected));
      expect(model.notes).toHaveLength(name === "different" ? 1 : 0);
      saveModel(model, `${path}-again`);
      expect(logitsOf(loadModel(`${path}-again`))).toEqual(logitsOf(model));
    }
  });

  test("weights of several dtypes become one, and the model says so", () => {
    const path = join(folder, "mixed");
    const source = tinyLlama();
    const mixed = [...source.parameters].map(([name, tensor], i) => {
      const dtype = (["float32", "bfloat16", "float16"] as const)[i % 3]!;
      return [name, tensor.detach().to({ dtype })] as const;
    });
    for (const [named, dtype] of [
      [undefined, "float32"],
      ["bfloat16", "bfloat16"],
    ] as const) {
      saveModel(source, path);
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...TINY_LLAMA, dtype: named }));
      writeSafetensors(join(path, "model.safetensors"), new Map(mixed));
      const model = loadModel(path);
      expect(new Set([...model.parameters.values()].map((each) => each.dtype))).toEqual(new Set([dtype]));
      expect(model.notes).toEqual([expect.stringMatching(`are all read as ${dtype}$`)]);
      expect(loadModel(path, { dtype: "float32" }).notes).toEqual([]);
    }
  });

  test("refuse to leave an adapter behind", () => {
    const model = tinyLlama();
    model.adapter = createAdapter(model.architecture);
    expect(() => saveModel(model, join(folder, "adapted"))).toThrow("the model has an adapter");
  });
});

describe("adapters", () => {
  const adapted = (options = {}): CausalLanguageModel => {
    const model = tinyLlama();
    model.adapter = createAdapter(model.architecture, { rank: 3, ...options });
    for (const { b } of model.adapter.pairs.values()) {
      b.requiresGrad = false;
      b.uniform_(-0.5, 0.5);
      b.requiresGrad = true;
    }
    return model;
  };

  test("are read back as they were written", () => {
    for (const options of [{}, { targets: ["q_proj", /.*\.mlp\.up_proj/], rankStabilized: true, alpha: 5 }]) {
      const model = adapted(options);
      const path = join(folder, "adapter");
      saveAdapter(model.adapter!, path, { baseModel: "tiny" });
      const other = tinyLlama();
      const plain = logitsOf(other);
      other.adapter = loadAdapter(path, other.architecture);
      expect(logitsOf(other)).toEqual(logitsOf(model));
      expect(logitsOf(other)).not.toEqual(plain);
    }
  });

  test("merged, give the same logits", () => {
    const model = adapted();
    const before = logitsOf(model);
    mergeAdapter(model);
    expect(model.adapter).toBeUndefined();
    logitsOf(model).forEach((value, i) => {
      // float32 in another order.
      expect(value).toBeCloseTo(before[i]!, 5);
    });
  });

  test("of kinds that are not supported are refused by name", () => {
    const path = join(folder, "refused");
    const { adapter, architecture } = adapted();
    saveAdapter(adapter!, path, { baseModel: "tiny" });
    const file = join(path, "adapter_config.json");
    const config = JSON.parse(readFileSync(file, "utf8"));
    for (const [key, value] of Object.entries({
      lora_bias: true,
      peft_type: "LOHA",
      rank_pattern: { a: 4 },
      init_lora_weights: "pissa",
      alora_invocation_tokens: [1, 2],
    })) {
      writeFileSync(file, JSON.stringify({ ...config, [key]: value }));
      expect(() => loadAdapter(path, architecture)).toThrow(`adapter_config.json: ${key}`);
    }
    writeFileSync(file, JSON.stringify({ ...config, r: 4 }));
    expect(() => loadAdapter(path, architecture)).toThrow("weights do not fit");
    writeFileSync(file, '{"r": 4');
    expect(() => loadAdapter(path, architecture)).toThrow(/adapter_config\.json: is not JSON: /);
    writeFileSync(file, "null");
    expect(() => loadAdapter(path, architecture)).toThrow("adapter_config.json: should hold a JSON object");
  });
});

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const hasTransformers = spawnSync(python, ["-c", "import peft, torch, transformers"]).status === 0;

// Experts too. PEFT 0.21 takes the names of other MLPs of Qwen's mixtures for experts'.
const TARGETS: Readonly<Record<string, RegExp[]>> = {
  mixtral: [/.*/],
  olmoe: [/.*/],
  "qwen3-moe": [/.*\.(self_attn|experts)\..*/],
};

needs("python", hasTransformers).describe(`transformers`, () => {
  test("loads what we write, with equal logits; PEFT the adapters", () => {
    const all = [
      ...tinyModels.map((name) => [name, tinyGolden(name)] as const),
      ...tinyEncoderDecoders.map((name) => [name, tinyGolden(name, "encoder-decoders")] as const),
    ];
    const cases = all.map(([name, golden]) => {
      const path = join(folder, "written", name);
      const model = tinyModel(golden);
      saveModel(model, path);
      const written: Record<string, unknown> = { model: path, logits: logitsOf(model) };
      model.adapter = createAdapter(model.architecture, { rank: 2, targets: TARGETS[name] });
      for (const { b } of model.adapter.pairs.values()) {
        b.requiresGrad = false;
        b.uniform_(-0.5, 0.5);
      }
      const adapter = join(folder, "written", `${name}-adapter`);
      saveAdapter(model.adapter, adapter, { baseModel: path });
      return { ...written, adapter, adapted: logitsOf(model) };
    });
    const program = fileURLToPath(new URL("../../../test/python/loads_ours.py", import.meta.url));
    const { status, stdout, stderr } = spawnSync(python, [program], {
      encoding: "utf8",
      input: JSON.stringify({ ids: IDS, split: SPLIT, cases }),
      maxBuffer: 1 << 26,
    });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    const results = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Record<string, number>;
    expect(Object.keys(results)).toHaveLength(2 * cases.length);
    // Relative to the logits' range; both sum in float32, in different orders.
    for (const [name, off] of Object.entries(results)) expect(off, name).toBeLessThan(1e-4);
    expect(existsSync(folder)).toBe(true);
  });
});
