// A Hugging Face model folder → a model: config.json, and safetensors in one file or in shards.
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type BlockKind,
  type DType,
  expandBlocks,
  keep,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  type TensorSource,
} from "@promptloss/torch";
import { parse, stringify } from "lossless-json";
import type { PromptObjective } from "../../data/tokens/prompt-objective.ts";
import { WEIGHT_DTYPES } from "../../dtypes.ts";
import { BlockWeight } from "../blocks/block-weight.ts";
import type { Architecture } from "../config/architecture.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { parameterShapes } from "../config/parameters.ts";
import { withPromptObjective } from "../config/prompt-objective.ts";
import { readModelConfig } from "../config/read-config.ts";
import { blockedWeights, type Storage, writtenKind } from "../config/storage.ts";
import { textTensorName } from "../config/text-model.ts";
import { CausalLanguageModel } from "../decoder/model.ts";
import type { PlaceParameter } from "../decoder/parts.ts";
import { checkDevice } from "../device.ts";
import { ModelError, ModelWeightsError } from "../errors.ts";
import { storedTensor } from "../gguf/stored-tensor.ts";

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
  /**
   * Keeps the layers' linear weights frozen in few bits: `nf4` and `int8` quantize them, `as-stored` keeps a GGUF file's
   * blocks. Floats where left out.
   */
  readonly storage?: Storage | undefined;
  /** Of a model with an encoder: what it is trained to do with prompts, in place of what its config says. */
  readonly promptObjective?: PromptObjective | undefined;
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
  const own = readModelConfig(folder, { strict: options.strict ?? false });
  const read = withPromptObjective(own, options.promptObjective);
  checkWeightFiles(folder);
  checkStorage(folder, options);
  if (options.device !== undefined) checkDevice(options.device);
  using source = openSafetensors(folder);
  const stored = storedWeights(source, read);
  const config = differentHead(read, source, stored) ? untied(read) : read;
  const notes = [...read.notes];
  if (config !== read)
    notes.push(
      `${folder}: tie_word_embeddings is true, and the file's head is not the embedding: its own head is used`,
    );
  const weights = weightsOf(config, stored, folder);
  // Blocks are floats of the config's dtype to whoever asks for floats.
  const dtypes = [
    ...new Set(
      [...weights.values()].map(({ file, kind }) =>
        kind === undefined ? source.info(file).dtype : CODES[namedDtype(config)],
      ),
    ),
  ];
  const dtype =
    options.dtype ??
    (dtypes.length > 1 || [...weights.values()].some(({ kind }) => kind !== undefined)
      ? namedDtype(config)
      : undefined);
  if (options.dtype === undefined && dtypes.length > 1)
    notes.push(`${folder}: weights of ${dtypes.join(", ")} are all read as ${dtype}`);
  const how = { ...options, ...(dtype !== undefined && { dtype }) };
  const blocks = blocksOf(config, weights, { folder, source, notes }, options);
  const place = options.place?.(config);
  const parameters = new Map(
    [...weights].flatMap(([name, stored]) =>
      blocks.has(name)
        ? []
        : [[name, parameterFrom(source, stored, how, (tensor) => place?.(name, tensor))] as const],
    ),
  );
  return new CausalLanguageModel(config, parameters, notes, blocks);
}

function checkStorage(folder: string, { storage, trainable = false, place }: LoadModelOptions): void {
  if (storage === undefined) return;
  if (trainable || place !== undefined)
    throw new ModelError(`${folder}: weights in ${storage} are frozen, and each process has all of them`, {
      hint: "train an adapter on them",
    });
}

interface Opened {
  readonly folder: string;
  readonly source: TensorSource;
  /** Is told which weights stay floats. */
  readonly notes: string[];
}

/** The weights that are kept in blocks. */
function blocksOf(
  { architecture }: ModelConfig,
  weights: ReadonlyMap<string, StoredWeight>,
  { folder, source, notes }: Opened,
  { storage, device = "cpu" }: LoadModelOptions,
): Map<string, BlockWeight> {
  const blocks = new Map<string, BlockWeight>();
  if (storage === undefined) return blocks;
  const linear = blockedWeights(architecture);
  for (const [name, { inputs }] of linear) {
    const stored = weights.get(name)!;
    if (storage === "as-stored") {
      if (stored.kind === undefined) continue;
      checkKind(stored.kind, device, folder);
      const tensor = source.tensor(stored.file);
      const kept = keep(noGrad(() => scope(() => tensor.to({ device }))));
      blocks.set(name, new BlockWeight(stored.kind, kept, inputs, false));
      continue;
    }
    const kind = writtenKind(storage, inputs);
    if (kind === undefined) continue;
    // A map of its own for each: what was read of a file is given back with its map, and counts as memory until then.
    using own = openSafetensors(folder);
    scope(() => {
      const weight = floatsOf(own, stored).to({ device });
      blocks.set(name, BlockWeight.quantize(kind, weight, architecture.transposed));
    });
  }
  if (blocks.size === 0)
    throw new ModelError(`${folder}: none of its weights can be kept ${storage}`, {
      hint:
        storage === "as-stored"
          ? "that is for GGUF files with blocks of few bits; nf4 and int8 quantize weights of any model"
          : "their rows are no whole blocks of 64 weights, or of 32 for int8; leave it out",
    });
  if (blocks.size < linear.size)
    notes.push(
      `${folder}: ${linear.size - blocks.size} of ${linear.size} linear weights stay in floats, since ${storage === "as-stored" ? "the file has them so" : "their rows are no whole blocks"}`,
    );
  return blocks;
}

/** @throws {ModelError} for blocks that only the CPU expands */
function checkKind(kind: BlockKind, device: string, folder: string): void {
  if (device === "cpu" || kind === "Q8_0" || kind === "NF4") return;
  throw new ModelError(`${folder}: blocks of ${kind} are multiplied on the CPU alone, not on ${device}`, {
    hint: "nf4 and int8 are served on every device",
  });
}

/** A tensor of the file in floats, as it is or what its blocks expand to in float32. */
function floatsOf(
  source: TensorSource,
  { file, kind, shape }: StoredWeight,
  dtype: DType = "float32",
): Tensor {
  const tensor = source.tensor(file);
  return kind === undefined ? tensor : expandBlocks(tensor, kind, shape[1]!, dtype);
}

const CODES: Readonly<Record<string, string>> = { bfloat16: "BF16", float16: "F16", float32: "F32" };

/** The config's own dtype; float32, which holds them all, where it names none. */
function namedDtype({ json }: ModelConfig): DType {
  return WEIGHT_DTYPES.find((each) => each === (json.dtype ?? json.torch_dtype)) ?? "float32";
}

/** What a file has of a parameter. */
interface StoredWeight {
  /** The file's name of it. */
  readonly file: string;
  readonly kind: BlockKind | undefined;
  readonly shape: readonly number[];
}

/** The file's tensors of the model by the model's own names, which differ where the model is a part of another. */
function storedWeights(source: TensorSource, { isPart }: ModelConfig): Map<string, StoredWeight> {
  const own = source.names.map((file) => {
    const { name, kind, shape } = storedTensor(file, source.info(file));
    return [isPart ? textTensorName(name) : name, { file, kind, shape }] as const;
  });
  return new Map(own.filter((pair): pair is [string, StoredWeight] => pair[0] !== undefined));
}

/** What a file has under a parameter's name, with the prefix that base models leave out or without. */
function storedAs(
  name: string,
  { architecture }: ModelConfig,
  stored: ReadonlyMap<string, StoredWeight>,
): StoredWeight | undefined {
  const { prefix } = architecture.names;
  const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return stored.get(name) ?? stored.get(short);
}

/** What a file has of the embedding, under its name or that of a copy. */
function storedEmbedding(
  config: ModelConfig,
  stored: ReadonlyMap<string, StoredWeight>,
): StoredWeight | undefined {
  const { family, architecture } = config;
  const own = storedAs(`${architecture.names.embedding}.weight`, config, stored);
  return own ?? [...stored].find(([name]) => family.embeddingCopies?.test(name))?.[1];
}

/** Whether a tied model's file has a head of its own. */
function differentHead(
  config: ModelConfig,
  source: TensorSource,
  stored: ReadonlyMap<string, StoredWeight>,
): boolean {
  const { tied, names } = config.architecture;
  const head = storedAs(`${names.head}.weight`, config, stored);
  const table = storedEmbedding(config, stored);
  if (!tied || head === undefined || table === undefined) return false;
  if (head.shape.join() !== table.shape.join()) return true;
  return noGrad(() =>
    scope(() => {
      const a = floatsOf(source, head);
      return (
        a
          .ne(floatsOf(source, table).to({ dtype: a.dtype }))
          .sum()
          .item() !== 0
      );
    }),
  );
}

/** As transformers 5: what the file has counts, and a model that is saved again says so. */
function untied(config: ModelConfig): ModelConfig {
  const change = { tie_word_embeddings: false, ...config.family.whereUntied?.(config.architecture) };
  return Object.freeze({
    ...config,
    architecture: Object.freeze({ ...config.architecture, tied: false }),
    json: { ...config.json, ...change },
    text: stringify({ ...(parse(config.text) as object), ...change }) ?? config.text,
  });
}

/** Whether a folder keeps weights of linear modules in blocks, as that of a GGUF file does. */
export function hasBlocks(folder: string, architecture: Architecture): boolean {
  const linear = blockedWeights(architecture);
  using source = openSafetensors(folder);
  return source.names.some((stored) => {
    const { name, kind } = storedTensor(stored, source.info(stored));
    return kind !== undefined && linear.has(name);
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
 * Which tensor of the files is which parameter, in the order of the config. Files of a model without its head leave out a prefix; buffers that any
 * reader computes anew and a tied head's copy are left alone.
 */
function weightsOf(
  config: ModelConfig,
  stored: ReadonlyMap<string, StoredWeight>,
  folder: string,
): Map<string, StoredWeight> {
  const { family, architecture } = config;
  const expected = parameterShapes(architecture);
  const { prefix, head } = architecture.names;
  const embedding = `${architecture.names.embedding}.weight`;
  const found = new Map<string, StoredWeight>();
  const unexpected: string[] = [];
  for (const [own, weight] of stored) {
    if (family.buffers.test(own)) continue;
    if (architecture.tied && own === `${head}.weight`) {
      // safetensors' save_model keeps one name of tensors that are one, and it may be the head's.
      if (storedEmbedding(config, stored) === undefined) found.set(embedding, weight);
      continue;
    }
    if (family.embeddingCopies?.test(own)) {
      if (storedAs(embedding, config, stored) === undefined) found.set(embedding, weight);
      continue;
    }
    const name = [own, `${prefix}${own}`].find((each) => expected.has(each));
    if (name === undefined) unexpected.push(weight.file);
    else found.set(name, weight);
  }
  const missing = [...expected.keys()].filter((name) => !found.has(name));
  const mismatched = [...found].flatMap(([name, { file, shape }]) => {
    const given = shape.join(", ");
    const wanted = expected.get(name)!.join(", ");
    return given === wanted ? [] : [`${file}: [${given}], expected [${wanted}]`];
  });
  if (missing.length + unexpected.length + mismatched.length > 0)
    throw new ModelWeightsError(folder, { missing, unexpected, mismatched });
  return new Map([...expected.keys()].map((name) => [name, found.get(name)!]));
}

/** A tensor of the file as a leaf that outlives scopes; a view of the file where neither dtype nor device changes. */
function parameterFrom(
  source: TensorSource,
  stored: StoredWeight,
  { dtype, device, trainable = false }: LoadModelOptions,
  place: (tensor: Tensor) => Tensor | undefined,
): Tensor {
  return noGrad(() =>
    scope(() => {
      const mapped = floatsOf(source, stored, dtype);
      const placed = mapped.to({ dtype: dtype ?? mapped.dtype, device: device ?? "cpu" });
      const elsewhere = place(placed);
      if (elsewhere !== undefined) return elsewhere;
      // Weights in training are written to at every step: memory of their own, rather than pages of the file.
      const isView = stored.kind === undefined && placed.dtype === mapped.dtype;
      const leaf = keep(trainable && isView ? placed.clone() : placed);
      leaf.requiresGrad = trainable;
      return leaf;
    }),
  );
}
