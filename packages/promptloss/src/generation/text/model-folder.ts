// What a path means to a text generator: a Hugging Face model folder, a model's name on the hub, a GGUF file, a PEFT
// adapter, or the folder of a training run, which knows the template that the model was trained with.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { restoreFolders } from "@promptloss/torch/files";
import type { TemplateSpec } from "../../data/templates/index.ts";
import { hubModelName } from "../../hub/model.ts";
import { ModelError } from "../../models/errors.ts";
import { folderIdentity } from "../../models/folder/identity.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import { ADAPTER_CONFIG, readAdapterConfig } from "../../models/lora/adapter-config.ts";

export interface ModelPaths {
  readonly model: string;
  readonly adapter: string | undefined;
  readonly tokenizer: string;
  /** Of the run that trained it. */
  readonly template: TemplateSpec | undefined;
}

function readObject(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new ModelError(`${path}: is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/**
 * @param base in place of the model that an adapter names
 * @throws {ModelError} for a run without a model yet, and an adapter whose model is not on this machine
 * @throws {HubError} for a model of the hub that can't be had
 */
export function resolveModelPaths(
  named: string,
  { base: given }: { base?: string | undefined } = {},
): ModelPaths {
  const path = modelFolder(named);
  const run = runOf(path);
  const folder = run === path ? join(path, "model") : path;
  if (!existsSync(folder)) restoreFolders(dirname(resolve(folder)));
  if (run === path && !existsSync(folder))
    throw new ModelError(`${path}: the run has written no model yet`, {
      hint: "promptloss train on the same recipe resumes it",
    });
  const template = run === undefined ? undefined : templateOf(run);
  const isAdapter = existsSync(join(folder, ADAPTER_CONFIG));
  if (!isAdapter || existsSync(join(folder, "config.json")))
    return { model: folder, adapter: undefined, tokenizer: folder, template };
  const { base_model_name_or_path: base, revision } = readAdapterConfig(folder);
  const here = [given === undefined ? base : modelFolder(given), join(folder, String(base))];
  const model = here.find((each) => typeof each === "string" && existsSync(each)) ?? onHub(base, revision);
  if (typeof model !== "string")
    throw new ModelError(`${folder}: its model, ${JSON.stringify(base)}, is not here`, {
      hint: "give the model's folder, and this one as the adapter",
    });
  const tokenizer = existsSync(join(folder, "tokenizer.json")) ? folder : model;
  return { model, adapter: folder, tokenizer, template };
}

/**
 * What a generator's or an evaluation's results depend on in its folders, as a hash: model, adapter and tokenizer.
 * @throws {SafetensorsError} for weights that are missing parts or damaged
 */
export function identityOf({ model, adapter, tokenizer }: Omit<ModelPaths, "template">): string {
  const parts = [
    folderIdentity(model),
    adapter === undefined ? "" : folderIdentity(adapter),
    tokenizer === model || tokenizer === adapter ? "" : folderIdentity(tokenizer, { weights: false }),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The model of the hub that an adapter names, downloaded. @throws {HubError} where it can't be had */
function onHub(base: unknown, revision: unknown): string | undefined {
  if (typeof base !== "string" || hubModelName(base) === undefined) return undefined;
  return modelFolder(typeof revision === "string" ? `${base}@${revision}` : base);
}

/** Whether a folder is that of a training run. */
export function isRunFolder(folder: string): boolean {
  return existsSync(join(folder, "manifest.json")) && !existsSync(join(folder, "config.json"));
}

/** The run that a folder is, or whose model it is. */
function runOf(path: string): string | undefined {
  if (isRunFolder(path)) return path;
  const parent = dirname(resolve(path));
  return basename(resolve(path)) === "model" && isRunFolder(parent) ? parent : undefined;
}

function templateOf(run: string): TemplateSpec | undefined {
  const { recipe } = readObject(join(run, "manifest.json")) as { recipe?: { template?: TemplateSpec } };
  return recipe?.template;
}
