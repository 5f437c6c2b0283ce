// A judge in a folder that gives one answer to everything: the answer is a token of its tokenizer, which follows every
// line break, and a stop token follows it.
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromTypedArray, keep } from "@promptloss/torch";
import { loadTokenizer } from "../src/data/tokenizer/index.ts";
import { parseModelConfig } from "../src/models/config/model-config.ts";
import { parameterShapes } from "../src/models/config/parameters.ts";
import { CausalLanguageModel } from "../src/models/decoder/model.ts";
import { saveModel } from "../src/models/folder/save-model.ts";
import { TINY_LLAMA } from "./tiny-llama.ts";
import { TINY_BYTES } from "./tokenizers.ts";

/** Directions of the embedding. */
const LINE_BREAK = 0;
const ANSWER = 1;
const OTHER = 2;

/** @returns the model's folder, in a new temporary one */
export async function judgeFolder(answer: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "promptloss-judge-"));
  const companions = join(root, "tokenizer");
  cpSync(TINY_BYTES, companions, { recursive: true });
  const path = join(companions, "tokenizer.json");
  const tokenizer = JSON.parse(readFileSync(path, "utf8"));
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  const id = (await loadTokenizer(TINY_BYTES)).vocabularySize;
  tokenizer.added_tokens.push({ id, content: answer, ...flags });
  writeFileSync(path, JSON.stringify(tokenizer));

  const extended = await loadTokenizer(companions);
  const [[lineBreak], [token]] = (await extended.encodeIds(["\n", answer])) as [Int32Array, Int32Array];
  const config = parseModelConfig({ ...TINY_LLAMA, vocab_size: id + 1, max_position_embeddings: 4096 });
  const rows = (name: string, shape: readonly number[]): Float32Array => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const [, width = 1] = shape;
    if (name.endsWith("norm.weight")) values.fill(1);
    if (name === "model.embed_tokens.weight")
      for (let row = 0; row <= id; row++) {
        const direction = row === lineBreak ? LINE_BREAK : row === token ? ANSWER : OTHER;
        values[row * width + direction] = 1;
      }
    if (name === "lm_head.weight") {
      values[token! * width + LINE_BREAK] = 1;
      for (const stop of extended.stopIds) values[stop * width + ANSWER] = 1;
    }
    // Attention and the rest stay 0: what follows a token depends on it alone.
    return values;
  };
  const weights = [...parameterShapes(config.architecture)].map(
    ([name, shape]) => [name, keep(fromTypedArray(rows(name, shape), shape))] as const,
  );
  const model = new CausalLanguageModel(config, new Map(weights));
  const folder = join(root, "judge");
  saveModel(model, folder, { companions });
  model.free();
  return folder;
}

/** A judge that always prefers what it reads first. */
export const PREFERS_FIRST = "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]";
