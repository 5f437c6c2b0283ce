// The model of an evaluation, loaded once for all tasks, and what its records are told apart by.
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { identityOf, resolveModelPaths } from "../../generation/text/model-folder.ts";
import type { Architecture } from "../../models/config/architecture.ts";
import { contextLength } from "../../models/config/context-length.ts";
import { adapterStorage, loadAdapter, loadModel, modelFolder, readModelConfig } from "../../models/index.ts";
import { EvaluationError } from "../errors.ts";
import type { EvaluateOptions, LoadedModel } from "./types.ts";

export interface EvaluatedModel extends LoadedModel {
  /** As scores name it. */
  readonly path: string;
  readonly adapter?: string;
  readonly dtype: string;
  /** Tokens that are read of an item, context and what follows it together. */
  readonly maxLength: number;
  /** Undefined for a loaded model without a name. */
  readonly identity: string | undefined;
  free(): void;
}

/** @throws {ModelError} and its kin, {TokenizerError}, {EvaluationError} for a length that the model does not read */
export async function openModel({
  model: given,
  adapter,
  dtype = "float32",
  device,
  storage: asked,
  strict = false,
  maxLength,
}: EvaluateOptions): Promise<EvaluatedModel> {
  if (typeof given !== "string") {
    const { model, tokenizer, name } = given;
    return {
      model,
      tokenizer,
      path: name ?? "a loaded model",
      dtype: model.keptIn,
      maxLength: lengthOf(model.architecture, maxLength),
      identity: name,
      // Whoever loaded it frees it.
      free: () => undefined,
    };
  }
  const paths = resolveModelPaths(given);
  const { architecture } = readModelConfig(paths.model, { strict });
  const length = lengthOf(architecture, maxLength);
  const tokenizer = await loadTokenizer(paths.tokenizer);
  const place = { ...(device !== undefined && { device }) };
  const adapterFolder = adapter === undefined ? paths.adapter : modelFolder(adapter);
  const lora = adapterFolder === undefined ? undefined : loadAdapter(adapterFolder, architecture, place);
  const storage = asked ?? (adapterFolder === undefined ? undefined : adapterStorage(adapterFolder));
  const model = loadModel(paths.model, { ...place, dtype, storage });
  model.adapter = lora;
  return {
    model,
    tokenizer,
    path: given,
    ...(adapterFolder !== undefined && { adapter: adapterFolder }),
    dtype: model.keptIn,
    maxLength: length,
    identity: identityOf({ ...paths, adapter: adapterFolder }),
    free: () => model.free(),
  };
}

function lengthOf(architecture: Architecture, asked: number | undefined): number {
  const most = contextLength(architecture);
  if (asked === undefined || asked <= most) return asked ?? most;
  throw new EvaluationError(`maxLength: ${asked} tokens, and the model reads ${most}`, {
    hint: `give ${most} or less`,
  });
}
