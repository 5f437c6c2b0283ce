// The model of an evaluation, loaded once for all tasks, and what its records are told apart by.
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { identityOf, resolveModelPaths } from "../../generation/text/model-folder.ts";
import { loadAdapter, loadModel, readModelConfig } from "../../models/index.ts";
import type { EvaluateOptions, LoadedModel } from "./types.ts";

export interface EvaluatedModel extends LoadedModel {
  /** As scores name it. */
  readonly path: string;
  readonly adapter?: string;
  readonly dtype: string;
  /** Undefined for a loaded model without a name. */
  readonly identity: string | undefined;
  free(): void;
}

/** @throws {ModelError} and its kin, {TokenizerError} */
export async function openModel({
  model: given,
  adapter,
  dtype = "float32",
  device,
}: EvaluateOptions): Promise<EvaluatedModel> {
  if (typeof given !== "string") {
    const { model, tokenizer, name } = given;
    return {
      model,
      tokenizer,
      path: name ?? "a loaded model",
      dtype: model.head.dtype,
      identity: name,
      // Whoever loaded it frees it.
      free: () => undefined,
    };
  }
  const paths = resolveModelPaths(given);
  const { architecture } = readModelConfig(paths.model);
  const tokenizer = await loadTokenizer(paths.tokenizer);
  const place = { ...(device !== undefined && { device }) };
  const adapterFolder = adapter ?? paths.adapter;
  const lora = adapterFolder === undefined ? undefined : loadAdapter(adapterFolder, architecture, place);
  const model = loadModel(paths.model, { ...place, dtype });
  model.adapter = lora;
  return {
    model,
    tokenizer,
    path: given,
    ...(adapterFolder !== undefined && { adapter: adapterFolder }),
    dtype,
    identity: identityOf({ ...paths, adapter: adapterFolder }),
    free: () => model.free(),
  };
}
