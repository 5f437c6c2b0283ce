// A model → a Hugging Face folder that transformers, vLLM and llama.cpp's converter load: config, weights, and the
// files that lay beside the weights it came from.
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DType, noGrad, scope, type Tensor, writeShardedSafetensors } from "@promptloss/torch";
import { parse, stringify } from "lossless-json";
import { replaceFolder } from "../../files/atomic.ts";
import type { CausalLanguageModel } from "../decoder/model.ts";
import { ModelError } from "../errors.ts";

export interface SaveModelOptions {
  /** Of the weights; what the config names where left out, else float32. */
  readonly dtype?: DType;
  /** A folder whose tokenizer, generation config and chat template are copied. */
  readonly companions?: string;
  /** The most bytes of one file; 5 GB where left out. */
  readonly maxShardBytes?: number;
}

const COMPANIONS = [
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
  "generation_config.json",
] as const;

const FLOATS: readonly DType[] = ["float32", "bfloat16", "float16", "float64"];

/**
 * Writes the model's own weights, in the place of a folder that is there; the folder is whole or as it was.
 * @throws {ModelError} for a model with an adapter: merge it, or save the adapter
 */
export function saveModel(model: CausalLanguageModel, folder: string, options: SaveModelOptions = {}): void {
  if (model.adapter !== undefined)
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
      scope(() =>
        writeShardedSafetensors(temporary, converted(model.parameters, dtype), shardOptions(options)),
      ),
    );
    if (options.companions !== undefined) copyCompanions(options.companions, temporary);
  });
}

function shardOptions({ maxShardBytes }: SaveModelOptions) {
  return {
    // transformers before version 5 refuses files without it.
    metadata: { format: "pt" },
    ...(maxShardBytes !== undefined && { maxShardBytes }),
  };
}

function converted(parameters: ReadonlyMap<string, Tensor>, dtype: DType): Map<string, Tensor> {
  return new Map([...parameters].map(([name, tensor]) => [name, tensor.detach().to({ dtype })]));
}

/** Copies the files that belong to a model beside its weights. */
export function copyCompanions(from: string, to: string): void {
  for (const name of COMPANIONS)
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
}
