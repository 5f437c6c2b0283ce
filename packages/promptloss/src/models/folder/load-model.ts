// A Hugging Face model folder → a model: config.json, and safetensors in one file or in shards.
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type DType,
  keep,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  type TensorSource,
} from "@promptloss/torch";
import type { ModelConfig } from "../config/model-config.ts";
import { readModelConfig } from "../config/read-config.ts";
import { CausalLanguageModel } from "../decoder/model.ts";
import { parameterShapes } from "../decoder/parameters.ts";
import { ModelError, ModelWeightsError } from "../errors.ts";

export interface LoadModelOptions {
  /** Of the weights; as the file has them where left out. float32 for training. */
  readonly dtype?: DType;
  /** "cpu" where left out. */
  readonly device?: string;
  /** Compute gradients for the weights; false where left out. */
  readonly trainable?: boolean;
}

/**
 * Loads a model with its weights.
 * @throws {ModelError} for a folder without weights that can be read
 * @throws {ModelWeightsError} naming the weights that are missing, unknown or of another shape
 */
export const loadModel = (folder: string, options: LoadModelOptions = {}): CausalLanguageModel => {
  const config = readModelConfig(folder);
  checkWeightFiles(folder);
  using source = openSafetensors(folder);
  const names = fileNames(config, source, folder);
  const parameters = new Map(
    [...names].map(([name, stored]) => [name, parameterFrom(source, stored, options)]),
  );
  return new CausalLanguageModel(config, parameters);
};

const checkWeightFiles = (folder: string): void => {
  if (["model.safetensors", "model.safetensors.index.json"].some((name) => existsSync(join(folder, name))))
    return;
  const pickled = ["pytorch_model.bin", "pytorch_model.bin.index.json"].some((name) =>
    existsSync(join(folder, name)),
  );
  throw new ModelError(`${folder}: there is no model.safetensors`, {
    hint: pickled
      ? "pickled weights are not read; save them as safetensors: model.save_pretrained(folder, safe_serialization=True)"
      : "was the model downloaded whole?",
  });
};

/**
 * Which tensor of the files is which parameter. Files of a model without its head leave out a prefix; buffers that any
 * reader computes anew and a tied head's copy are left alone.
 */
const fileNames = (config: ModelConfig, source: TensorSource, folder: string): Map<string, string> => {
  const { family, architecture } = config;
  const expected = parameterShapes(architecture);
  const { prefix, head } = architecture.names;
  const found = new Map<string, string>();
  const unexpected: string[] = [];
  for (const stored of source.names) {
    if (family.buffers.test(stored)) continue;
    if (architecture.tied && stored === `${head}.weight`) continue;
    const name = [stored, `${prefix}${stored}`].find((each) => expected.has(each));
    if (name === undefined) unexpected.push(stored);
    else found.set(name, stored);
  }
  const missing = [...expected.keys()].filter((name) => !found.has(name));
  const mismatched = [...found].flatMap(([name, stored]) => {
    const given = source.info(stored).shape.join(", ");
    const wanted = expected.get(name)!.join(", ");
    return given === wanted ? [] : [`${stored}: [${given}], expected [${wanted}]`];
  });
  if (missing.length + unexpected.length + mismatched.length > 0)
    throw new ModelWeightsError(folder, { missing, unexpected, mismatched });
  return new Map([...expected.keys()].map((name) => [name, found.get(name)!]));
};

/** A tensor of the file as a leaf that outlives scopes; a view of the file where neither dtype nor device changes. */
const parameterFrom = (
  source: TensorSource,
  name: string,
  { dtype, device, trainable = false }: LoadModelOptions,
): Tensor =>
  noGrad(() =>
    scope(() => {
      const mapped = source.tensor(name);
      const placed = mapped.to({ dtype: dtype ?? mapped.dtype, device: device ?? "cpu" });
      // Weights in training are written to at every step: memory of their own, rather than pages of the file.
      const leaf = keep(trainable && placed.dtype === mapped.dtype ? placed.clone() : placed);
      leaf.requiresGrad = trainable;
      return leaf;
    }),
  );
