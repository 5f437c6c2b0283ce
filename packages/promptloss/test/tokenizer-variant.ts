// The small sentencepiece-like tokenizer of the repository with parts of its tokenizer.json changed, as other models
// write ▁ for spaces.
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TINY_PIECES } from "./tokenizers.ts";

/** ▁ by the normalizer, as older files do. */
export const NORMALIZER = {
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  },
  pre_tokenizer: null,
};

/** ▁ by the pre-tokenizer. */
export function metaspace(prepend_scheme: string, split: boolean): object {
  return {
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme, split },
  };
}

/** The folder of the variant; its config says only the special tokens. */
export async function tokenizerVariant(changes: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
  const json = JSON.parse(await readFile(join(TINY_PIECES, "tokenizer.json"), "utf8"));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...json, ...changes }));
  await writeFile(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ bos_token: "<s>", eos_token: "</s>" }),
  );
  return folder;
}
