// Hugging Face folders of a tiny LLaMA with random weights and one of the small tokenizers, for tests of whole programs.
// The weights are made from their names, as in tiny-models.ts, so that its gibberish is the same everywhere.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromTypedArray, keep } from "@promptloss/torch";
import { parseModelConfig } from "../src/models/config/model-config.ts";
import { parameterShapes } from "../src/models/config/parameters.ts";
import { CausalLanguageModel } from "../src/models/decoder/model.ts";
import { saveModel } from "../src/models/folder/save-model.ts";
import { TINY_LLAMA } from "./tiny-llama.ts";
import { fillWeights } from "./tiny-models.ts";

/** @param companions the tokenizer's folder */
export function tinyFolder(
  companions: string,
  { config = {}, generation }: { config?: object; generation?: object } = {},
): string {
  const folder = join(mkdtempSync(join(tmpdir(), "promptloss-tiny-")), "tiny");
  const parsed = parseModelConfig({
    ...TINY_LLAMA,
    vocab_size: 515,
    max_position_embeddings: 512,
    ...config,
  });
  const weights = [...parameterShapes(parsed.architecture)].map(
    ([name, shape]) => [name, keep(fromTypedArray(fillWeights(name, shape), shape))] as const,
  );
  const model = new CausalLanguageModel(parsed, new Map(weights));
  saveModel(model, folder, { companions });
  model.free();
  if (generation !== undefined)
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify(generation));
  return folder;
}
