import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensorPlaces } from "@promptloss/torch/files";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { folderIdentity } from "./identity.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "identity-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Tensors {
  readonly [name: string]: Uint8Array;
}

/** A safetensors file of bytes, written here so that no native code is needed. */
function writeWeights(path: string, tensors: Tensors): void {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, bytes]) => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype: "U8", shape: [bytes.length], data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, ...Object.values(tensors)]));
}

const CONFIG = { model_type: "llama", hidden_size: 8, transformers_version: "5.0" };

function model(name: string, tensors: Tensors, config: object = CONFIG): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  writeFileSync(join(path, "tokenizer.json"), "{}");
  writeWeights(join(path, "model.safetensors"), tensors);
  return path;
}

function filled(bytes: number): Uint8Array {
  return new Uint8Array(bytes).map((_, i) => i % 251);
}

function tensors(): Tensors {
  return {
    "a.weight": filled(3000),
    "b.bias": filled(10),
    // Beyond what is read whole of a tensor in a large model.
    "c.weight": filled(300_000),
  };
}

/** Changes bytes of a tensor where they lie in the file. */
function change(path: string, tensor: string, from: number, count: number): void {
  const file = join(path, "model.safetensors");
  const { begin } = tensorPlaces(file).find(({ name }) => name === tensor)!;
  const bytes = readFileSync(file);
  for (let i = 0; i < count; i++) bytes[begin + from + i]! ^= 1;
  writeFileSync(file, bytes);
}

test("any changed byte of any tensor is another model, wherever it lies", () => {
  const path = model("model", tensors());
  const before = folderIdentity(path);
  const places = Object.entries(tensors());
  fc.assert(
    fc.property(fc.nat({ max: places.length - 1 }), fc.nat(), (which, at) => {
      const [name, bytes] = places[which]!;
      change(path, name, at % bytes.length, 1);
      const after = folderIdentity(path);
      change(path, name, at % bytes.length, 1);
      return after !== before && folderIdentity(path) === before;
    }),
    { numRuns: 40 },
  );
});

test("of a model too large to be read whole, every tensor counts, small ones in every byte", () => {
  const path = model("model", tensors());
  const identity = (): string => folderIdentity(path, { wholeBytes: 0 });
  const before = identity();
  const changed = (tensor: string, from: number, count: number): boolean => {
    change(path, tensor, from, count);
    const after = identity();
    change(path, tensor, from, count);
    return after !== before;
  };
  for (const at of [0, 1234, 2999]) expect(changed("a.weight", at, 1)).toBe(true);
  expect(changed("b.bias", 9, 1)).toBe(true);
  // A region as long as the distance of two blocks; and the ends.
  fc.assert(
    fc.property(fc.nat({ max: 290_000 }), (from) => changed("c.weight", from, 10_000)),
    { numRuns: 20 },
  );
  expect([changed("c.weight", 0, 1), changed("c.weight", 299_999, 1)]).toEqual([true, true]);
});

test("a copy, another place, another order of keys and other shards are the same model", () => {
  const path = model("model", tensors());
  const before = folderIdentity(path);
  cpSync(path, join(folder, "copy"), { recursive: true });
  expect(folderIdentity(join(folder, "copy"))).toBe(before);
  const { model_type, hidden_size } = CONFIG;
  expect(
    folderIdentity(model("keys", tensors(), { hidden_size, model_type, transformers_version: "4.0" })),
  ).toBe(before);
  const sharded = join(folder, "copy");
  rmSync(join(sharded, "model.safetensors"));
  const { "a.weight": a, ...rest } = tensors();
  writeWeights(join(sharded, "model-00001-of-00002.safetensors"), { "a.weight": a! });
  writeWeights(join(sharded, "model-00002-of-00002.safetensors"), rest);
  const names = { "a.weight": "1", "b.bias": "2", "c.weight": "2" };
  const map = Object.fromEntries(
    Object.entries(names).map(([name, shard]) => [name, `model-0000${shard}-of-00002.safetensors`]),
  );
  writeFileSync(join(sharded, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  expect(folderIdentity(sharded)).toBe(before);
});

test("config, tokenizer, chat template, names and shapes count", () => {
  const known = new Set([folderIdentity(model("model", tensors()))]);
  const add = (path: string): void => {
    const identity = folderIdentity(path);
    expect(known).not.toContain(identity);
    known.add(identity);
  };
  add(model("config", tensors(), { ...CONFIG, hidden_size: 9 }));
  const { "b.bias": b, ...others } = tensors();
  add(model("name", { ...others, "b.weight": b! }));
  add(model("fewer", others));
  const path = model("texts", tensors());
  for (const name of [
    "chat_template.jinja",
    "generation_config.json",
    "tokenizer_config.json",
    "merges.txt",
  ]) {
    writeFileSync(join(path, name), "{}");
    add(path);
    renameSync(join(path, name), join(path, `${name}.off`));
  }
  expect(known).toContain(folderIdentity(path));
});

test("weights that are drawn anew do not count", () => {
  const [one, other] = [model("one", tensors()), model("other", { "a.weight": filled(4) })];
  expect(folderIdentity(one, { weights: false })).toBe(folderIdentity(other, { weights: false }));
});

test("a Git LFS pointer in place of weights is named", () => {
  const path = model("model", tensors());
  writeFileSync(
    join(path, "model.safetensors"),
    "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
  );
  expect(() => folderIdentity(path)).toThrow("model.safetensors: is a Git LFS pointer, not the file itself");
});
