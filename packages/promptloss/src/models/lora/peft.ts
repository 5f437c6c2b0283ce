// PEFT's folders: adapter_config.json and adapter_model.safetensors, in and out; and merging.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  keep,
  type LazyTensor,
  matmul,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  writeSafetensors,
} from "@promptloss/torch";
import { replaceFolder } from "../../files/atomic.ts";
import { hubModelOf } from "../../hub/model.ts";
import type { Architecture } from "../config/architecture.ts";
import { linearModules } from "../config/parameters.ts";
import { STORAGES, type Storage } from "../config/storage.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { ModelConfigError, ModelError, ModelWeightsError } from "../errors.ts";
import { type Companions, writeCompanions } from "../folder/companions.ts";
import { folderIdentity } from "../folder/identity.ts";
import { LoraAdapter, type LoraPair, loraSettings } from "./adapter.ts";
import { ADAPTER_CONFIG, readAdapterConfig } from "./adapter-config.ts";

const WEIGHTS = "adapter_model.safetensors";
/** What PEFT puts before a module's path. */
const PREFIX = "base_model.model.";

/** In the weights' metadata, as PEFT warns of keys in adapter_config.json that it does not know. */
const BASE_IDENTITY = "base_model_identity";
/** How the base model's weights were kept while the adapter was trained; left out for floats. */
const BASE_STORAGE = "base_model_storage";

/** What an adapter is trained on, whatever tokenizer it has: config and weights. */
export function baseIdentity(folder: string): string {
  return folderIdentity(folder, { texts: false });
}

/** The identity of the model that an adapter was trained on; undefined where the folder does not say. */
export function adapterBaseIdentity(folder: string): string | undefined {
  using source = openSafetensors(join(folder, WEIGHTS));
  return source.metadata[BASE_IDENTITY];
}

/**
 * How the base model's weights were kept while an adapter was trained: with others it is another model. Undefined for
 * floats, and where the folder does not say.
 * @throws {ModelError} for one that is not known here
 */
export function adapterStorage(folder: string): Storage | undefined {
  using source = openSafetensors(join(folder, WEIGHTS));
  const { [BASE_STORAGE]: named } = source.metadata;
  const storage = STORAGES.find((each) => each === named);
  if (named !== undefined && storage === undefined)
    throw new ModelError(`${folder}: was trained on a base model kept in ${JSON.stringify(named)}`, {
      hint: `known here are ${STORAGES.join(", ")}; was it written by a later version?`,
    });
  return storage;
}

export interface SaveAdapterOptions {
  /** The folder or hub id of the model that the adapter was trained on. A folder's identity goes along. */
  readonly baseModel: string;
  /** How the base model's weights were kept; floats where left out. */
  readonly storage?: Storage | undefined;
  /** What is written beside the weights; or a folder whose tokenizer files are copied. */
  readonly companions?: string | Companions;
  /** Gives a parameter as it is to be written, where it is not in memory; by its name. */
  readonly read?: (name: string) => LazyTensor;
}

/** Writes an adapter as PEFT does, in the place of a folder that is there. */
export function saveAdapter(adapter: LoraAdapter, folder: string, options: SaveAdapterOptions): void {
  const { rank, alpha, dropout, rankStabilised } = adapter.settings;
  // Elsewhere, what is in this machine's cache is known by its name on the hub.
  const onHub = hubModelOf(options.baseModel);
  const config = {
    base_model_name_or_path: onHub?.id ?? options.baseModel,
    ...(onHub !== undefined && { revision: onHub.revision }),
    bias: "none",
    fan_in_fan_out: adapter.transposed,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    target_modules: [...adapter.pairs.keys()],
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: rankStabilised,
  };
  replaceFolder(folder, (temporary) => {
    writeFileSync(join(temporary, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    const tensors = [...adapter.parameters].map(
      ([name, tensor]) => [`${PREFIX}${name}`, options.read?.(name) ?? tensor] as const,
    );
    const base = existsSync(join(options.baseModel, "config.json"))
      ? baseIdentity(options.baseModel)
      : undefined;
    const { storage } = options;
    const metadata = {
      format: "pt",
      ...(base !== undefined && { [BASE_IDENTITY]: base }),
      ...(storage !== undefined && { [BASE_STORAGE]: storage }),
    };
    writeSafetensors(join(temporary, WEIGHTS), new Map(tensors), { metadata });
    if (options.companions !== undefined) writeCompanions(options.companions, temporary);
  });
}

/** Values of adapter_config.json without which our computation would be another. */
const REQUIRED: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ["LORA"],
  bias: ["none"],
  use_dora: [false],
  modules_to_save: [null],
  layer_replication: [null],
  trainable_token_indices: [null],
  use_qalora: [false],
  lora_bias: [false],
  target_parameters: [null],
  alora_invocation_tokens: [null],
  use_bdlora: [null],
  arrow_config: [null],
  kasa_config: [null],
  monteclora_config: [null],
  // The others change the base model's own weights as training begins.
  init_lora_weights: [true, false, "gaussian", "orthogonal", "eva"],
};

/**
 * Reads a PEFT folder.
 * @throws {ModelConfigError} for kinds of adapters that are not supported
 * @throws {ModelWeightsError} for weights that do not fit the model
 */
export function loadAdapter(
  folder: string,
  architecture: Architecture,
  { device = "cpu", trainable = false }: { device?: string; trainable?: boolean } = {},
): LoraAdapter {
  const path = join(folder, ADAPTER_CONFIG);
  const config = readAdapterConfig(folder);
  for (const [key, allowed] of Object.entries(REQUIRED))
    if (key in config && !allowed.includes(config[key]) && !isEmpty(config[key]))
      throw new ModelConfigError(
        `${JSON.stringify(config[key])} is not supported, only ${JSON.stringify(allowed[0])}`,
        { path, key, value: config[key] },
      );
  for (const key of ["rank_pattern", "alpha_pattern"])
    if (!isEmpty(config[key]))
      throw new ModelConfigError("ranks that differ between modules are not supported", {
        path,
        key,
        value: config[key],
      });
  const settings = loraSettings({
    rank: config.r as number,
    alpha: config.lora_alpha as number,
    dropout: (config.lora_dropout as number | undefined) ?? 0,
    rankStabilised: config.use_rslora === true,
  });
  return new LoraAdapter(
    settings,
    readPairs(folder, architecture, settings.rank, { device, trainable }),
    architecture.transposed,
  );
}

function isEmpty(value: unknown): boolean {
  return (
    value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0)
  );
}

function readPairs(
  folder: string,
  architecture: Architecture,
  rank: number,
  { device, trainable }: { device: string; trainable: boolean },
): Map<string, LoraPair> {
  const path = join(folder, WEIGHTS);
  using source = openSafetensors(path);
  const read = (name: string): Tensor =>
    noGrad(() =>
      scope(() => {
        const leaf = keep(source.tensor(name).to({ dtype: "float32", device }).clone());
        leaf.requiresGrad = trainable;
        return leaf;
      }),
    );
  const left = new Set(source.names);
  const missing: string[] = [];
  const mismatched: string[] = [];
  const pairs = new Map<string, LoraPair>();
  for (const { module, inputs, outputs } of linearModules(architecture)) {
    const names = ["lora_A", "lora_B"].map((part) => `${PREFIX}${module}.${part}.weight`) as [string, string];
    const there = names.filter((name) => left.delete(name));
    if (there.length === 0) continue;
    missing.push(...names.filter((name) => !there.includes(name)));
    for (const [i, shape] of [`${rank}, ${inputs}`, `${outputs}, ${rank}`].entries())
      if (there.includes(names[i]!) && source.info(names[i]!).shape.join(", ") !== shape)
        mismatched.push(`${names[i]}: [${source.info(names[i]!).shape.join(", ")}], expected [${shape}]`);
    if (missing.length + mismatched.length === 0) pairs.set(module, { a: read(names[0]), b: read(names[1]) });
  }
  if (left.size + missing.length + mismatched.length > 0 || pairs.size === 0)
    throw new ModelWeightsError(
      path,
      { missing, unexpected: [...left], mismatched },
      { hint: hintFor(architecture, left) },
    );
  return pairs;
}

/** What to do about weights of modules that are not a layer's. */
function hintFor({ names }: Architecture, unexpected: ReadonlySet<string>): string | undefined {
  const outside = [names.head, names.embedding].some((module) =>
    [...unexpected].some((name) => name.startsWith(`${PREFIX}${module}.lora_`)),
  );
  return outside
    ? "adapters of the embedding and of the head are not supported; merge it with PEFT's merge_and_unload, or train one of the layers' linear modules"
    : undefined;
}

/** Adds the adapter to the weights that it adapts, and takes it off the model. */
export function mergeAdapter(model: CausalLanguageModel): void {
  const { adapter } = model;
  if (adapter === undefined) throw new ModelError("the model has no adapter to merge");
  const blocked = [...adapter.pairs.keys()].find((module) => model.blocks.has(`${module}.weight`));
  if (blocked !== undefined)
    throw new ModelError(`${blocked}: its weight is kept in few bits, which hold no sum with an adapter`, {
      hint: "saveModel with `merge` writes what the blocks expand to, with the adapter in it; or load the model in floats",
    });
  noGrad(() => {
    for (const module of adapter.pairs.keys())
      scope(() => {
        const weight = model.parameter(`${module}.weight`);
        weight.copy_(mergedWeight(weight, adapter, module));
      });
  });
  model.adapter = undefined;
  adapter.free();
}

/** A module's weight with what the adapter adds to it, in the weight's own dtype. */
export function mergedWeight(weight: Tensor, adapter: LoraAdapter, module: string): Tensor {
  return scope(() => weight.float().add(adapterWeight(adapter, module)).to({ dtype: weight.dtype }));
}

/** scale · B · A in the layout of the module's weight, float32. */
export function adapterWeight(adapter: LoraAdapter, module: string): Tensor {
  const { a, b } = adapter.pairs.get(module)!;
  return scope(() => {
    const product = matmul(b, a).mul(adapter.scale);
    return adapter.transposed ? product.t() : product;
  });
}
