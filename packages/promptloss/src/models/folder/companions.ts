// The files that lie beside a model's weights: its tokenizer, generation config and chat template. A model that was trained
// with another template or stop token than it came with says so in them, so that any server lays out chats as training did
// and ends answers where training ended them.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "lossless-json";

export interface Companions {
  /** The folder that the generation config is copied from. */
  readonly model: string;
  /** The folder that the tokenizer and its chat template are copied from; the model's where left out. */
  readonly tokenizer?: string;
  /** In place of the chat template that is there: a Jinja template. */
  readonly chatTemplate?: string;
  /** In place of the stop tokens that are there. */
  readonly stopIds?: readonly number[];
}

const CHAT_TEMPLATE = "chat_template.jinja";
const TOKENIZER_CONFIG = "tokenizer_config.json";
const GENERATION_CONFIG = "generation_config.json";

const TOKENIZER_FILES = [
  "tokenizer.json",
  TOKENIZER_CONFIG,
  "tokenizer.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  CHAT_TEMPLATE,
] as const;

/** Writes a model's companions into its folder. @param companions a folder to copy all of them from, or what each is */
export function writeCompanions(companions: string | Companions, folder: string): void {
  const given: Companions = typeof companions === "string" ? { model: companions } : companions;
  const { model, tokenizer = model, chatTemplate, stopIds } = given;
  for (const name of TOKENIZER_FILES) copy(tokenizer, folder, name);
  copy(model, folder, GENERATION_CONFIG);
  if (chatTemplate !== undefined) writeChatTemplate(folder, chatTemplate);
  if (stopIds !== undefined && stopIds.length > 0) writeStopIds(model, folder, stopIds);
}

function copy(from: string, to: string, name: string): void {
  if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
}

/** In both places where servers look for it; newer ones read the file, older ones the config. */
function writeChatTemplate(folder: string, template: string): void {
  writeFileSync(join(folder, CHAT_TEMPLATE), template);
  const path = join(folder, TOKENIZER_CONFIG);
  if (existsSync(path)) writeFileSync(path, text({ ...object(path), chat_template: template }));
}

/** Leaves configs alone that name these tokens already. */
function writeStopIds(model: string, folder: string, stopIds: readonly number[]): void {
  const path = join(folder, GENERATION_CONFIG);
  const config = object(join(model, "config.json"));
  // Without the file, readers take these from config.json; with it, they no longer do.
  const { bos_token_id, pad_token_id, eos_token_id } = config;
  const generation = existsSync(path)
    ? object(path)
    : Object.fromEntries(
        Object.entries({ bos_token_id, pad_token_id }).filter(([, id]) => id !== undefined && id !== null),
      );
  const named = [generation.eos_token_id ?? eos_token_id].flat().map(Number);
  if (named.length === stopIds.length && stopIds.every((id) => named.includes(id))) return;
  const ids = stopIds.length === 1 ? stopIds[0] : stopIds;
  writeFileSync(path, text({ ...generation, eos_token_id: ids }));
}

/** Numbers stay as they are written: tokenizer configs have some that are too large for a double. */
function object(path: string): Record<string, unknown> {
  return existsSync(path) ? (parse(readFileSync(path, "utf8")) as Record<string, unknown>) : {};
}

function text(value: object): string {
  return `${stringify(value, undefined, 2)}\n`;
}
