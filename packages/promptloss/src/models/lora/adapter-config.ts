// The adapter_config.json of a PEFT folder. Pure: paths are resolved and runs planned by it without loading weights.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isLfsPointer, LFS_POINTER } from "@promptloss/torch/files";
import { isJsonObject, type JsonObject } from "../../json-object.ts";
import { ModelConfigError, ModelError } from "../errors.ts";

export const ADAPTER_CONFIG = "adapter_config.json";

/**
 * @throws {ModelError} where the folder has none
 * @throws {ModelConfigError} for one that is no JSON object
 */
export function readAdapterConfig(folder: string): JsonObject {
  const path = join(folder, ADAPTER_CONFIG);
  if (!existsSync(path)) throw new ModelError(`${folder}: there is no ${ADAPTER_CONFIG}`);
  const text = readFileSync(path, "utf8");
  if (isLfsPointer(text))
    throw new ModelConfigError(LFS_POINTER.message, { path }, { hint: LFS_POINTER.hint });
  const hint = "was the adapter written or downloaded whole?";
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new ModelConfigError(`is not JSON: ${(cause as Error).message}`, { path }, { cause, hint });
  }
  if (!isJsonObject(config)) throw new ModelConfigError("should hold a JSON object", { path }, { hint });
  return config;
}
