// PEFT's folders: adapter_config.json and adapter_model.safetensors, in and out, for each kind; and merging.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  cat,
  keep,
  type LazyTensor,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  writeSafetensors,
} from "@promptloss/torch";
import { replaceFolder } from "../../files/atomic.ts";
import { hubModelOf } from "../../hub/model.ts";
import type { JsonObject } from "../../json-object.ts";
import {
  ADAPTER_KINDS,
  ADAPTER_TRAITS,
  type AdapterKind,
  type AdapterOptions,
  type AdapterSettings,
} from "../config/adapters.ts";
import type { Architecture } from "../config/architecture.ts";
import { linearModules } from "../config/parameters.ts";
import { STORAGES, type Storage } from "../config/storage.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { ModelConfigError, ModelError, ModelWeightsError } from "../errors.ts";
import { type Companions, writeCompanions } from "../folder/companions.ts";
import { folderIdentity } from "../folder/identity.ts";
import { Adapter, checkMergeable } from "./adapter.ts";
import { ADAPTER_CONFIG, readAdapterConfig } from "./adapter-config.ts";
import { adapterSettings, adapterShapes } from "./shapes.ts";

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

/** Writes an adapter as PEFT does, in the place of a folder that is there; of a kind that PEFT lacks, likewise. */
export function saveAdapter(adapter: Adapter, folder: string, options: SaveAdapterOptions): void {
  // Elsewhere, what is in this machine's cache is known by its name on the hub.
  const onHub = hubModelOf(options.baseModel);
  const config = {
    base_model_name_or_path: onHub?.id ?? options.baseModel,
    ...(onHub !== undefined && { revision: onHub.revision }),
    inference_mode: true,
    task_type: adapter.taskType,
    ...FORMATS[adapter.kind].config(adapter),
  };
  const read = (name: string): LazyTensor | Tensor => options.read?.(name) ?? adapter.parameters.get(name)!;
  replaceFolder(folder, (temporary) => {
    writeFileSync(join(temporary, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    const base = existsSync(join(options.baseModel, "config.json"))
      ? baseIdentity(options.baseModel)
      : undefined;
    const { storage } = options;
    const metadata = {
      format: "pt",
      ...(base !== undefined && { [BASE_IDENTITY]: base }),
      ...(storage !== undefined && { [BASE_STORAGE]: storage }),
    };
    scope(() => {
      const tensors =
        adapter.kind === "prefix"
          ? ([[PROMPT, noGrad(() => cat([...adapter.parameters.values()], 1))]] as const)
          : [...adapter.parameters.keys()].map((name) => [`${PREFIX}${name}`, read(name)] as const);
      writeSafetensors(join(temporary, WEIGHTS), new Map<string, LazyTensor | Tensor>(tensors), { metadata });
    });
    if (options.companions !== undefined) writeCompanions(options.companions, temporary);
  });
}

/** The one tensor of a prefix: [tokens, layers · 2 · width], keys before values. */
const PROMPT = "prompt_embeddings";

/** How a kind is written into adapter_config.json and read from there. */
interface Format {
  readonly type: string;
  config(adapter: Adapter): Readonly<Record<string, unknown>>;
  /** Values without which our computation would be another. */
  readonly required: Readonly<Record<string, readonly unknown[]>>;
  options(config: JsonObject): Omit<AdapterOptions, "kind" | "targets">;
}

const LOW_RANK: Omit<Format, "required"> = {
  type: "LORA",
  config: (adapter) => {
    const { rank, alpha, dropout, rankStabilized } = adapter.settings;
    return {
      bias: "none",
      fan_in_fan_out: adapter.transposed,
      init_lora_weights: true,
      lora_alpha: alpha,
      lora_dropout: dropout,
      modules_to_save: null,
      peft_type: "LORA",
      r: rank,
      target_modules: [...adapter.modules],
      use_dora: adapter.kind === "dora",
      use_rslora: rankStabilized,
    };
  },
  options: (config) => ({
    rank: config.r as number,
    alpha: config.lora_alpha as number,
    dropout: (config.lora_dropout as number | undefined) ?? 0,
    rankStabilized: config.use_rslora === true,
  }),
};

const LOW_RANK_REQUIRED: Format["required"] = {
  bias: ["none"],
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

const FORMATS: Readonly<Record<AdapterKind, Format>> = {
  lora: { ...LOW_RANK, required: { ...LOW_RANK_REQUIRED, use_dora: [false] } },
  dora: { ...LOW_RANK, required: { ...LOW_RANK_REQUIRED, use_dora: [true] } },
  ia3: {
    type: "IA3",
    config: (adapter) => ({
      peft_type: "IA3",
      fan_in_fan_out: adapter.transposed,
      feedforward_modules: [...adapter.modules].filter((module) => adapter.scalesInput(module)),
      init_ia3_weights: true,
      modules_to_save: null,
      target_modules: [...adapter.modules],
    }),
    required: { modules_to_save: [null] },
    options: () => ({}),
  },
  prefix: {
    type: "PREFIX_TUNING",
    config: (adapter) => {
      const { keys } = adapter.prefix(0);
      const [tokens, heads, headSize] = keys.shape as [number, number, number];
      return {
        peft_type: "PREFIX_TUNING",
        encoder_hidden_size: heads * headSize,
        num_attention_heads: heads,
        num_layers: adapter.parameters.size / 2,
        num_transformer_submodules: 1,
        num_virtual_tokens: tokens,
        prefix_projection: false,
        token_dim: heads * headSize,
      };
    },
    required: { num_transformer_submodules: [1, null], modules_to_save: [null] },
    options: (config) => ({ tokens: config.num_virtual_tokens as number }),
  },
  bottleneck: {
    type: "BOTTLENECK",
    config: (adapter) => ({ peft_type: "BOTTLENECK", size: adapter.settings.size, activation: "gelu" }),
    required: { activation: ["gelu"] },
    options: (config) => ({ size: config.size as number }),
  },
};

/** @throws {ModelConfigError} for a kind that is not supported */
function kindOf(config: JsonObject, path: string): AdapterKind {
  const type = config.peft_type ?? "LORA";
  if (type === "LORA") return config.use_dora === true ? "dora" : "lora";
  const found = ADAPTER_KINDS.find((kind) => FORMATS[kind].type === type);
  if (found !== undefined) return found;
  const types = [...new Set(ADAPTER_KINDS.map((kind) => FORMATS[kind].type))];
  throw new ModelConfigError(`${JSON.stringify(type)} is not supported, only ${types.join(", ")}`, {
    path,
    key: "peft_type",
    value: type,
  });
}

/**
 * Reads a PEFT folder.
 * @throws {ModelConfigError} for kinds of adapters that are not supported
 * @throws {ModelWeightsError} for weights that do not fit the model
 */
export function loadAdapter(
  folder: string,
  architecture: Architecture,
  { device = "cpu", trainable = false }: { device?: string; trainable?: boolean } = {},
): Adapter {
  const path = join(folder, ADAPTER_CONFIG);
  const config = readAdapterConfig(folder);
  const kind = kindOf(config, path);
  const { required, options } = FORMATS[kind];
  for (const [key, allowed] of Object.entries(required))
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
  const file = join(folder, WEIGHTS);
  using source = openSafetensors(file);
  const settings = adapterSettings({
    ...{ kind, ...options(config) },
    ...(hasTargets(kind) && { targets: modulesIn(source.names, architecture) }),
  });
  const adapter = readParameters(source, file, architecture, settings, { device, trainable });
  const listed = config.feedforward_modules;
  if (kind === "ia3" && Array.isArray(listed)) checkFeedForward(adapter, listed, path);
  return adapter;
}

function hasTargets(kind: AdapterKind): boolean {
  return ADAPTER_TRAITS[kind].keys.includes("targets");
}

/** @throws {ModelConfigError} for a module whose input is scaled here and whose output there, or the reverse */
function checkFeedForward(adapter: Adapter, listed: readonly unknown[], path: string): void {
  const names = listed.filter((name): name is string => typeof name === "string");
  for (const module of adapter.modules) {
    const isListed = names.some((name) => module === name || module.endsWith(`.${name}`));
    if (isListed !== adapter.scalesInput(module))
      throw new ModelConfigError(
        `${module}: of a layer's modules, the last of the MLP alone is fed forward here`,
        {
          path,
          key: "feedforward_modules",
          value: listed,
        },
      );
  }
}

function isEmpty(value: unknown): boolean {
  return (
    value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0)
  );
}

/** The linear modules that a file has weights for. */
function modulesIn(names: readonly string[], architecture: Architecture): string[] {
  const there = new Set(
    names.map((name) =>
      name.slice(PREFIX.length).replace(/\.(lora_[AB]\.weight|lora_magnitude_vector|ia3_l)$/, ""),
    ),
  );
  return linearModules(architecture)
    .map(({ module }) => module)
    .filter((module) => there.has(module));
}

type Source = ReturnType<typeof openSafetensors>;

function readParameters(
  source: Source,
  path: string,
  architecture: Architecture,
  settings: AdapterSettings,
  place: { device: string; trainable: boolean },
): Adapter {
  const leaf = (make: () => Tensor): Tensor =>
    noGrad(() =>
      scope(() => {
        const made = keep(make().to({ dtype: "float32", device: place.device }).clone());
        made.requiresGrad = place.trainable;
        return made;
      }),
    );
  const isPrefix = settings.kind === "prefix";
  const shapes = settings.targets?.length === 0 ? new Map() : adapterShapes(architecture, settings);
  const width = architecture.keyValueHeads * architecture.headSize;
  const expected = isPrefix
    ? new Map([[PROMPT, [settings.tokens, shapes.size * width]]])
    : new Map([...shapes].map(([name, shape]) => [`${PREFIX}${name}`, shape]));
  const missing = [...expected.keys()].filter((name) => !source.names.includes(name));
  const unexpected = source.names.filter((name) => !expected.has(name));
  const mismatched = [...expected].flatMap(([name, shape]) => {
    if (missing.includes(name)) return [];
    const found = source.info(name).shape;
    return found.join() === shape.join()
      ? []
      : [`${name}: [${found.join(", ")}], expected [${shape.join(", ")}]`];
  });
  if (unexpected.length + missing.length + mismatched.length > 0 || expected.size === 0)
    throw new ModelWeightsError(
      path,
      { missing, unexpected, mismatched },
      { hint: hintFor(architecture, new Set(unexpected)) },
    );
  const parameters = [...shapes.keys()].map((name: string, column): [string, Tensor] => [
    name,
    leaf(() =>
      isPrefix ? source.tensor(PROMPT).narrow(1, column * width, width) : source.tensor(`${PREFIX}${name}`),
    ),
  ]);
  return new Adapter(architecture, settings, new Map(parameters));
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

/**
 * Adds the adapter to the weights that it adapts, and takes it off the model.
 * @throws {ModelError} for a kind that weights can't hold, and for weights in few bits
 */
export function mergeAdapter(model: CausalLanguageModel): void {
  const { adapter } = model;
  if (adapter === undefined) throw new ModelError("the model has no adapter to merge");
  checkMergeable(adapter.kind);
  const blocked = [...adapter.modules].find((module) => model.blocks.has(`${module}.weight`));
  if (blocked !== undefined)
    throw new ModelError(`${blocked}: its weight is kept in few bits, which hold no sum with an adapter`, {
      hint: "saveModel with `merge` writes what the blocks expand to, with the adapter in it; or load the model in floats",
    });
  noGrad(() => {
    for (const [name, tensor] of model.parameters)
      scope(() => {
        const merged = adapter.merged(name, tensor);
        if (merged !== undefined) tensor.copy_(merged);
      });
  });
  model.adapter = undefined;
  adapter.free();
}
