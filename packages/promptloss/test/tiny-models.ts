// The tiny random models of test/goldens/models: their goldens, and their weights, which are made from their names.
import { readdirSync, readFileSync } from "node:fs";
import { fromTypedArray, keep, type Tensor } from "@promptloss/torch";
import { parse, stringify } from "lossless-json";
import { parseModelConfig } from "../src/models/config/model-config.ts";
import { CausalLanguageModel } from "../src/models/decoder/model.ts";

export interface TinyGolden {
  config: Record<string, unknown>;
  /** The config as Python wrote it, floats as floats. */
  configText: string;
  weights: Record<string, number[]>;
  ids: number[];
  /** What an encoder-decoder's decoder is to write. */
  labels?: number[];
  /** [tokens · vocabulary], little-endian float32. */
  logits: Float32Array;
  loss: number;
  gradientNorms: Record<string, number>;
}

const goldens = new URL("./goldens/", import.meta.url);

function namesIn(folder: string): string[] {
  return readdirSync(new URL(folder, goldens)).map((name) => name.slice(0, -".json".length));
}

export const tinyModels = namesIn("models");

export const tinyEncoderDecoders = namesIn("encoder-decoders");

/** Models of text and images, of which the goldens have the text model's weights and logits. */
export const tinyTextModels = namesIn("text-models");

/** What test/python/tiny_models.py wrote. */
export function tinyGolden(
  name: string,
  folder: "models" | "text-models" | "encoder-decoders" = "models",
): TinyGolden {
  const text = readFileSync(new URL(`${folder}/${name}.json`, goldens), "utf8");
  const golden = JSON.parse(text);
  const configText = stringify((parse(text) as { config: unknown }).config) ?? "";
  const bytes = Buffer.from(golden.logits, "base64");
  return { ...golden, configText, logits: new Float32Array(Uint8Array.from(bytes).buffer) };
}

/** Of a model that is one of either. */
export function tinyGoldenOf(name: string): TinyGolden {
  return tinyGolden(name, tinyEncoderDecoders.includes(name) ? "encoder-decoders" : "models");
}

/** The same weights as `fill` in tiny_models.py. */
export function fillWeights(name: string, shape: readonly number[]): Float32Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619) >>> 0;
  const offset = shape.length === 1 && name.endsWith("weight") ? 1 : 0;
  const count = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length: count }, (_, i) => {
    let hash = (Math.imul(i, 2654435761) + seed) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
    hash = (hash ^ (hash >>> 16)) >>> 0;
    return hash / 2 ** 33 - 0.25 + offset;
  });
}

export function tinyWeights(golden: TinyGolden): Map<string, Tensor> {
  return new Map(
    Object.entries(golden.weights).map(([name, shape]) => [
      name,
      keep(fromTypedArray(fillWeights(name, shape), shape, { requiresGrad: true })),
    ]),
  );
}

export function tinyModel(golden: TinyGolden): CausalLanguageModel {
  return new CausalLanguageModel(
    parseModelConfig(golden.config, { text: golden.configText }),
    tinyWeights(golden),
  );
}
