// Which model a folder holds, as a hash over what changes its results: config, weights, tokenizer. The same model copied,
// moved or sharded otherwise is the same; runs, evaluations and judges tell models apart by it. Gigabytes are not read
// whole: beyond a bound, blocks of every tensor stand for it.
import { createHash, type Hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tensorPlaces } from "@promptloss/torch/files";
import { addTensors, WHOLE_BYTES } from "../../files/tensor-hash.ts";
import { CONFIG_FILES, MODEL_CONFIGS, TEXT_FILES } from "../../model-files.ts";

export interface IdentityOptions {
  /** False for a model whose weights are drawn anew; true where left out. */
  readonly weights?: boolean;
  /** False for config and weights alone, which an adapter is trained on; true where left out. */
  readonly texts?: boolean;
  /** Weights of up to so many bytes in all are hashed whole; 256 MiB where left out. */
  readonly wholeBytes?: number;
}

/** Keys that say where a model came from, or which program wrote it. */
const NEUTRAL = new Set([
  "_name_or_path",
  "_commit_hash",
  "transformers_version",
  "base_model_name_or_path",
  "revision",
]);

/**
 * SHA-256, in hex, of the model, adapter or tokenizer in a folder. Two models that differ in one value alone, in a tensor
 * that is too large to be read whole, may count as one.
 * @throws {SafetensorsError} for weights that are missing parts or damaged
 */
export function folderIdentity(folder: string, options: IdentityOptions = {}): string {
  const { weights = true, texts = true, wholeBytes = WHOLE_BYTES } = options;
  const hash = createHash("sha256");
  for (const name of texts ? CONFIG_FILES : MODEL_CONFIGS) addConfig(hash, join(folder, name), name);
  if (texts) for (const name of TEXT_FILES) addText(hash, join(folder, name), name);
  const file = WEIGHTS.map((name) => join(folder, name)).find(existsSync);
  if (weights && file !== undefined) addTensors(hash, tensorPlaces(file), wholeBytes);
  return hash.digest("hex");
}

const WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors"];

/** Keys sorted, so that the order in which a program writes them does not matter. */
function addConfig(hash: Hash, path: string, name: string): void {
  if (!existsSync(path)) return;
  const text = readFileSync(path, "utf8");
  let content = text;
  try {
    content = JSON.stringify(JSON.parse(text), (key, value: unknown) =>
      NEUTRAL.has(key) ? undefined : sorted(value),
    );
  } catch {
    // Whoever reads the config will say so.
  }
  addPart(hash, name, content);
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function addText(hash: Hash, path: string, name: string): void {
  if (existsSync(path)) addPart(hash, name, readFileSync(path));
}

/** With its length, so that no part can pass for the end of another. */
function addPart(hash: Hash, name: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  hash.update(`${name} ${bytes.length}\n`).update(bytes);
}
