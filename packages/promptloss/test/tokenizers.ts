// The tokenizers that tests encode with: two small ones in the repository and the real ones beside it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sharedPath } from "./shared.ts";

function small(name: string): string {
  return fileURLToPath(new URL(`./tokenizers/${name}`, import.meta.url));
}

/** Byte-level BPE with ChatML, `<|im_end|>` and `<|endoftext|>` as stop tokens, no BOS. */
export const TINY_BYTES = small("tiny-bytes");

/** Sentencepiece-like BPE with byte fallback, `<s>` before every text, a chat template with [INST]. */
export const TINY_PIECES = small("tiny-pieces");

/** The folders that goldens exist for; undefined where the folder is missing on this machine. */
export const GOLDEN_FOLDERS: Readonly<Record<string, string | undefined>> = {
  "tiny-bytes": TINY_BYTES,
  "tiny-pieces": TINY_PIECES,
  stories15M: sharedPath("models", "stories15M"),
  gpt2: sharedPath("tokenizers", "gpt2"),
  llama3: sharedPath("tokenizers", "llama3"),
  "qwen2.5": sharedPath("tokenizers", "qwen2.5"),
};

export interface GoldenText {
  text: string;
  ids: number[];
  offsets: [number, number][];
  withSpecial: number[];
  decoded: string;
}

export interface GoldenChat {
  messages: { role: "system" | "user" | "assistant"; content: string }[];
  text?: string;
  ids?: number[];
  prompt?: string;
  promptIds?: number[];
  error?: string;
}

/** What test/python/tokenizer_goldens.py wrote for a tokenizer. */
export function readGolden(name: string): { texts: GoldenText[]; chats: GoldenChat[] } {
  return JSON.parse(readFileSync(new URL(`./goldens/tokenizers/${name}.json`, import.meta.url), "utf8"));
}
