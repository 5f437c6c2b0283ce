// A model → a Hugging Face folder that transformers, vLLM and llama.cpp's converter load: config, weights, and the
// files that lie beside them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DType,
  type LazyTensor,
  noGrad,
  scope,
  type Tensor,
  writeShardedSafetensors,
} from "@promptloss/torch";
import { parse, stringify } from "lossless-json";
import { replaceFolder } from "../../files/atomic.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { parameterToWrite } from "../decoder/parts.ts";
import { ModelError } from "../errors.ts";
import { type Companions, writeCompanions } from "./companions.ts";

export interface SaveModelOptions {
  /** Of the weights; what the config names where left out, else float32. */
  readonly dtype?: DType;
  /** What is written beside the weights; or a folder whose tokenizer, generation config and chat template are copied. */
  readonly companions?: string | Companions;
  /** The most bytes of one file; 5 GB where left out. */
  readonly maxShardBytes?: number;
  /** Write an adapter's change as a part of the weights; the model stays as it is. */
  readonly merge?: boolean;
}

const FLOATS: readonly DType[] = ["float32", "bfloat16", "float16", "float64"];

/**
 * Writes the model's own weights, in the place of a folder that is there; the folder is whole or as it was.
 * @throws {ModelError} for a model with an adapter that is not to be merged: save the adapter
 * @example
 * ```ts
 * import { loadModel, saveModel } from "promptloss";
 *
 * const model = loadModel("model");
 * saveModel(model, "copy", { dtype: "bfloat16", companions: "model" });
 * model.free();
 * ```
 */
export function saveModel(model: CausalLanguageModel, folder: string, options: SaveModelOptions = {}): void {
  if (model.adapter !== undefined && !options.merge)
    throw new ModelError("the model has an adapter, which its own weights know nothing of", {
      hint: "mergeAdapter first, or saveAdapter",
    });
  const { json } = model.config;
  const named = json.dtype ?? json.torch_dtype;
  const dtype = options.dtype ?? FLOATS.find((each) => each === named) ?? "float32";
  const key = "torch_dtype" in json && !("dtype" in json) ? "torch_dtype" : "dtype";
  replaceFolder(folder, (temporary) => {
    const changed = { architectures: [model.config.family.architecture], [key]: dtype };
    const config = { ...(parse(model.config.text) as object), ...changed };
    writeFileSync(join(temporary, "config.json"), `${stringify(config, undefined, 2)}\n`);
    noGrad(() =>
      scope(() => writeShardedSafetensors(temporary, converted(model, dtype), shardOptions(options))),
    );
    if (options.companions !== undefined) writeCompanions(options.companions, temporary);
  });
}

function shardOptions({ maxShardBytes }: SaveModelOptions) {
  return {
    // transformers before version 5 refuses files without it.
    metadata: { format: "pt" },
    ...(maxShardBytes !== undefined && { maxShardBytes }),
  };
}

function writtenWeight(model: CausalLanguageModel, name: string): Tensor {
  const weight = parameterToWrite(model, name).read();
  return model.adapter?.merged(name, weight) ?? weight;
}

/** One at a time is made, and of a model whose processes divide it one part at a time is there. */
function converted(model: CausalLanguageModel, dtype: DType): Map<string, LazyTensor> {
  return new Map(
    model.weightNames.map((name) => {
      const { shape } = model.blocks.get(name) ?? model.parameter(name);
      const read = () => writtenWeight(model, name).to({ dtype });
      return [name, { dtype, shape, read }];
    }),
  );
}
