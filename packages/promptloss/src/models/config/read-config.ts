// The config.json of a model folder. Pure: a plan reads it without loading weights.

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isLfsPointer, LFS_POINTER, restoreFolders } from "@promptloss/torch/files";
import { fetchHint } from "../../data/tokenizer/hub-name.ts";
import { ModelConfigError, ModelError } from "../errors.ts";
import { type ModelConfig, type ParseConfigOptions, parseModelConfig } from "./model-config.ts";

/**
 * Reads the config of a model folder.
 * @throws {ModelError} where there is no such folder or no config.json in it
 * @throws {ModelConfigError} for a config that is not supported
 */
export function readModelConfig(
  folder: string,
  { strict = false }: Pick<ParseConfigOptions, "strict"> = {},
): ModelConfig {
  if (!existsSync(folder)) restoreFolders(dirname(resolve(folder)));
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new ModelError(`${folder}: there is no such model folder`, { hint: hintFor(folder) });
  const path = join(folder, "config.json");
  if (!existsSync(path))
    throw new ModelError(`${folder}: there is no config.json`, {
      hint: existsSync(join(folder, "adapter_config.json"))
        ? "this is an adapter; give the folder of the model that it was trained on, and this one as the adapter"
        : "give the folder of a Hugging Face model",
    });
  try {
    const text = readFileSync(path, "utf8");
    if (isLfsPointer(text))
      throw new ModelConfigError(LFS_POINTER.message, { path }, { hint: LFS_POINTER.hint });
    return parseModelConfig(JSON.parse(text), { path, text, strict });
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new ModelConfigError(`is not JSON: ${cause.message}`, { path });
    throw cause;
  }
}

function hintFor(folder: string): string {
  return (
    fetchHint(folder) ??
    "give the folder of a Hugging Face model: config.json, model.safetensors, tokenizer.json"
  );
}
