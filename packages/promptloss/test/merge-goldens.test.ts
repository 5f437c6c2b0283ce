// `promptloss merge` against PEFT's merge_and_unload: test/python/merge_goldens.py makes the goldens.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromTypedArray, openSafetensors, scope, writeSafetensors } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAdapter, parseModelConfig } from "../src/models/index.ts";
import { promptloss } from "./command.ts";
import { fillWeights } from "./tiny-models.ts";

interface Golden {
  readonly config: Record<string, unknown>;
  readonly weights: Readonly<Record<string, number[]>>;
  readonly adapterConfig: { readonly r: number; readonly lora_alpha: number; readonly use_rslora: boolean };
  readonly adapter: Readonly<Record<string, number[]>>;
  /** Of the merged file. */
  readonly names: readonly string[];
  /** Of the weights that merging changed: little-endian float32, as base64. */
  readonly merged: Readonly<Record<string, string>>;
}

const goldens = new URL("./goldens/merge/", import.meta.url);
const names = readdirSync(goldens).map((name) => name.replace(/\.json$/, ""));

function goldenOf(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`${name}.json`, goldens), "utf8"));
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "merge-goldens-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function writeTensors(
  path: string,
  shapes: Readonly<Record<string, number[]>>,
  dtype: "float32" | "bfloat16",
): void {
  scope(() => {
    const tensors = Object.entries(shapes).map(
      ([name, shape]) => [name, fromTypedArray(fillWeights(name, shape), shape).to({ dtype })] as const,
    );
    writeSafetensors(path, new Map(tensors), { metadata: { format: "pt" } });
  });
}

function written(name: string, golden: Golden): { base: string; adapter: string; output: string } {
  const at = (part: string): string => join(folder, name, part);
  const [base, adapter] = [at("base"), at("adapter")];
  for (const path of [base, adapter]) mkdirSync(path, { recursive: true });
  writeFileSync(join(base, "config.json"), JSON.stringify(golden.config));
  writeTensors(join(base, "model.safetensors"), golden.weights, golden.config.dtype as "float32");
  writeFileSync(join(adapter, "adapter_config.json"), JSON.stringify(golden.adapterConfig));
  writeTensors(join(adapter, "adapter_model.safetensors"), golden.adapter, "float32");
  return { base, adapter, output: at("merged") };
}

/** Values of a file's tensor as float32. */
function valuesOf(file: string, name: string): Float32Array {
  using source = openSafetensors(file);
  return scope(() => source.tensor(name).float().toTypedArray("float32").slice());
}

function decoded(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
}

/** Half the distance of two neighbors, over the number: 24 and 8 bits of significand. */
const ROUNDING = { float32: 2 ** -24, bfloat16: 2 ** -8 };

describe.each(names)("%s", (name) => {
  const golden = goldenOf(name);
  const dtype = golden.config.dtype as keyof typeof ROUNDING;

  test("the merged weights are PEFT's, and no others are there or changed", () => {
    const { base, adapter, output } = written(name, golden);
    const { status, stderr } = promptloss(["merge", adapter, "--base", base, "-o", output]);
    expect([status, stderr]).toEqual([
      0,
      `! ${adapter}: does not say which weights it was trained on; its shapes fit ${base}, and nothing else is known\n`,
    ]);
    const file = join(output, "model.safetensors");
    using source = openSafetensors(file);
    expect([...source.names].sort()).toEqual(golden.names);
    for (const stored of source.names) {
      expect(source.info(stored).dtype).toBe(dtype === "float32" ? "F32" : "BF16");
      const [ours, before] = [valuesOf(file, stored), valuesOf(join(base, "model.safetensors"), stored)];
      const theirs = golden.merged[stored];
      if (theirs === undefined) expect(ours, stored).toEqual(before);
      else expectMerged(ours, decoded(theirs), before, dtype, golden.adapterConfig.r);
    }
  });
});

/**
 * PEFT rounds the adapter's share to the weight's dtype before it adds it, and then the sum; we round the sum alone. Products
 * of a small rank are summed in float32 on both sides, in orders of their own.
 */
function expectMerged(
  ours: Float32Array,
  theirs: Float32Array,
  before: Float32Array,
  dtype: keyof typeof ROUNDING,
  rank: number,
): void {
  expect(ours.length).toBe(theirs.length);
  // Each product of A's and B's elements is at most 1/16, and the scale at most 5 / √3.
  const sums = rank * rank * (1 / 16) * (5 / Math.sqrt(3)) * ROUNDING.float32;
  for (const [i, value] of ours.entries()) {
    const share = Math.abs(theirs[i]! - before[i]!);
    const most = ROUNDING[dtype] * (2 * Math.abs(theirs[i]!) + share) * (1 + 2 * ROUNDING[dtype]) + sums;
    expect(Math.abs(value - theirs[i]!)).toBeLessThanOrEqual(most);
  }
  // What merging changes is far above the bound.
  const off = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i]!)), 0);
  expect(off).toBeGreaterThan(16 * ROUNDING.bfloat16 * 0.25);
}

test("an adapter of a tied embedding is refused, with the way out", () => {
  const golden = goldenOf("tied");
  const { architecture } = parseModelConfig(golden.config);
  for (const module of ["lm_head", "model.embed_tokens"]) {
    const kind =
      module === "lm_head" ? ["lora_A.weight", "lora_B.weight"] : ["lora_embedding_A", "lora_embedding_B"];
    const path = join(folder, module);
    mkdirSync(path);
    writeFileSync(join(path, "adapter_config.json"), JSON.stringify(golden.adapterConfig));
    const own = kind.map((part): [string, number[]] => [`base_model.model.${module}.${part}`, [3, 3]]);
    writeTensors(
      join(path, "adapter_model.safetensors"),
      { ...golden.adapter, ...Object.fromEntries(own) },
      "float32",
    );
    expect(() => loadAdapter(path, architecture)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`not in the model: base_model.model.${module}.`),
        hint: expect.stringContaining("adapters of the embedding and of the head are not supported"),
      }),
    );
  }
});
