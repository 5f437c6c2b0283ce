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
import { parse, stringify } from "lossless-json";
import { WEIGHT_DTYPES } from "../../dtypes.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { parameterShapes } from "../config/parameters.ts";
import { readModelConfig } from "../config/read-config.ts";
import { textTensorName } from "../config/text-model.ts";
import { CausalLanguageModel } from "../decoder/model.ts";
import type { PlaceParameter } from "../decoder/parts.ts";
import { checkDevice } from "../device.ts";
import { ModelError, ModelWeightsError } from "../errors.ts";

export interface LoadModelOptions {
  /** Refuse a config with keys that are not known here, rather than note them. */
  readonly strict?: boolean;
  /**
   * Of the weights; as the file has them where left out and, where those have several, the one that the config names, or
   * float32. float32 for training.
   */
  readonly dtype?: DType;
  /** "cpu" where left out. */
  readonly device?: string;
  /** Compute gradients for the weights; false where left out. */
  readonly trainable?: boolean;
  /** Where each parameter comes to, for a model that is not to be in memory whole: by the config as the weights have it. */
  readonly place?: ((config: ModelConfig) => PlaceParameter) | undefined;
}

/**
 * Loads a model with its weights.
 * @throws {ModelError} for a folder without weights that can be read
 * @throws {ModelWeightsError} naming the weights that are missing, unknown or of another shape
 * @example
 * ```ts
 * import { loadModel } from "promptloss";
 *
 * const model = loadModel("model", { dtype: "float32" });
 * console.log(`${model.parameters.size} tensors on ${model.device}`);
 * model.free();
 * ```
 */
export function loadModel(folder: string, options: LoadModelOptions = {}): CausalLanguageModel {
  const read = readModelConfig(folder, { strict: options.strict ?? false });
  checkWeightFiles(folder);
  if (options.device !== undefined) checkDevice(options.device);
  using source = openSafetensors(folder);
  const stored = storedNames(source, read);
  const config = differentHead(read, source, stored) ? untied(read) : read;
  const notes = [...read.notes];
  if (config !== read)
    notes.push(
      `${folder}: tie_word_embeddings is true, and the file's head is not the embedding: its own head is used`,
    );
  const names = fileNames(config, source, stored, folder);
  const dtypes = [...new Set([...names.values()].map((stored) => source.info(stored).dtype))];
  const dtype = options.dtype ?? (dtypes.length > 1 ? namedDtype(config) : undefined);
  if (options.dtype === undefined && dtypes.length > 1)
    notes.push(`${folder}: weights of ${dtypes.join(", ")} are all read as ${dtype}`);
  const how = { ...options, ...(dtype !== undefined && { dtype }) };
  const place = options.place?.(config);
  const parameters = new Map(
    [...names].map(([name, stored]) => [
      name,
      parameterFrom(source, stored, how, (tensor) => place?.(name, tensor)),
    ]),
  );
  return new CausalLanguageModel(config, parameters, notes);
}

/** The config's own dtype; float32, which holds them all, where it names none. */
function namedDtype({ json }: ModelConfig): DType {
  return WEIGHT_DTYPES.find((each) => each === (json.dtype ?? json.torch_dtype)) ?? "float32";
}

/** The file's names of the model's tensors by the model's own, which differ where the model is a part of another. */
function storedNames({ names }: TensorSource, { isPart }: ModelConfig): Map<string, string> {
  const own = names.map((stored) => [isPart ? textTensorName(stored) : stored, stored] as const);
  return new Map(own.filter((pair): pair is [string, string] => pair[0] !== undefined));
}

/** What a file has under a parameter's name, with the prefix that base models leave out or without. */
function storedAs(
  name: string,
  { architecture }: ModelConfig,
  stored: ReadonlyMap<string, string>,
): string | undefined {
  const { prefix } = architecture.names;
  const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return stored.get(name) ?? stored.get(short);
}

/** Whether a tied model's file has a head of its own. */
function differentHead(
  config: ModelConfig,
  source: TensorSource,
  stored: ReadonlyMap<string, string>,
): boolean {
  const { tied, names } = config.architecture;
  const head = storedAs(`${names.head}.weight`, config, stored);
  const table = storedAs(`${names.embedding}.weight`, config, stored);
  if (!tied || head === undefined || table === undefined) return false;
  if (source.info(head).shape.join() !== source.info(table).shape.join()) return true;
  return noGrad(() =>
    scope(() => {
      const [a, b] = [source.tensor(head), source.tensor(table).to({ dtype: source.tensor(head).dtype })];
      return a.ne(b).sum().item() !== 0;
    }),
  );
}

/** As transformers 5: what the file has counts, and a model that is saved again says so. */
function untied(config: ModelConfig): ModelConfig {
  const change = { tie_word_embeddings: false };
  return Object.freeze({
    ...config,
    architecture: Object.freeze({ ...config.architecture, tied: false }),
    json: { ...config.json, ...change },
    text: stringify({ ...(parse(config.text) as object), ...change }) ?? config.text,
  });
}

function checkWeightFiles(folder: string): void {
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
}

/**
 * Which tensor of the files is which parameter. Files of a model without its head leave out a prefix; buffers that any
 * reader computes anew and a tied head's copy are left alone.
 */
function fileNames(
  config: ModelConfig,
  source: TensorSource,
  storedNames: ReadonlyMap<string, string>,
  folder: string,
): Map<string, string> {
  const { family, architecture } = config;
  const expected = parameterShapes(architecture);
  const { prefix, head } = architecture.names;
  const embedding = `${architecture.names.embedding}.weight`;
  const found = new Map<string, string>();
  const unexpected: string[] = [];
  for (const [own, stored] of storedNames) {
    if (family.buffers.test(own)) continue;
    if (architecture.tied && own === `${head}.weight`) {
      // safetensors' save_model keeps one name of tensors that are one, and it may be the head's.
      if (storedAs(embedding, config, storedNames) === undefined) found.set(embedding, stored);
      continue;
    }
    const name = [own, `${prefix}${own}`].find((each) => expected.has(each));
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
}

/** A tensor of the file as a leaf that outlives scopes; a view of the file where neither dtype nor device changes. */
function parameterFrom(
  source: TensorSource,
  name: string,
  { dtype, device, trainable = false }: LoadModelOptions,
  place: (tensor: Tensor) => Tensor | undefined,
): Tensor {
  return noGrad(() =>
    scope(() => {
      const mapped = source.tensor(name);
      const placed = mapped.to({ dtype: dtype ?? mapped.dtype, device: device ?? "cpu" });
      const elsewhere = place(placed);
      if (elsewhere !== undefined) return elsewhere;
      // Weights in training are written to at every step: memory of their own, rather than pages of the file.
      const leaf = keep(trainable && placed.dtype === mapped.dtype ? placed.clone() : placed);
      leaf.requiresGrad = trainable;
      return leaf;
    }),
  );
}
