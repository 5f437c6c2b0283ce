// A folder with all that a run needs, made anew: a tiny LLaMA with a tokenizer of the repository, and some rows.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseModelConfig } from "../src/models/config/model-config.ts";
import { createModel } from "../src/models/folder/create-model.ts";
import { saveModel } from "../src/models/folder/save-model.ts";
import { TINY_LLAMA } from "./tiny-llama.ts";
import { TINY_PIECES } from "./tokenizers.ts";

export interface TrainingFolder {
  readonly path: string;
  /** Writes a recipe over the folder's model and rows; `text` holds more keys. */
  recipe(name: string, text: string): string;
  remove(): void;
}

const COLORS = ["red", "green", "blue", "black", "white"];

/** @param own the model's config in place of the tiny LLaMA's, by the size of the vocabulary */
export function trainingFolder(own?: (vocabulary: number) => object): TrainingFolder {
  const path = mkdtempSync(join(tmpdir(), "training-"));
  const vocabulary = Object.keys(
    JSON.parse(readFileSync(join(TINY_PIECES, "tokenizer.json"), "utf8")).model.vocab as object,
  ).length;
  const config = own?.(vocabulary + 8) ?? {
    ...TINY_LLAMA,
    vocab_size: vocabulary + 8,
    max_position_embeddings: 256,
    initializer_range: 0.05,
    dtype: "float32",
  };
  const model = createModel(parseModelConfig(config), { seed: 5 });
  saveModel(model, join(path, "model"));
  model.free();
  mkdirSync(join(path, "model"), { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"])
    copyFileSync(join(TINY_PIECES, name), join(path, "model", name));
  const rows = Array.from({ length: 24 }, (_, i) => ({
    instruction: i % 3 === 0 ? "Name a colour." : `Say ${COLORS[i % 5]}.`,
    input: i % 4 === 0 ? "Be brief." : "",
    output: COLORS[(i * 7) % 5]!,
  }));
  writeFileSync(join(path, "rows.json"), JSON.stringify(rows));
  return {
    path,
    recipe(name, text) {
      const file = join(path, `${name}.yaml`);
      writeFileSync(file, `model: ./model\ndata: rows.json\noutput: ${join(path, name)}\n${text}`);
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
