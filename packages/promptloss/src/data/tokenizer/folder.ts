// Reads the files of a Hugging Face tokenizer or model folder that say how text becomes ids: tokenizer.json,
// tokenizer_config.json, special_tokens_map.json, chat_template.jinja and the stop ids of the generation
// config. Plain data; nothing is encoded here, and weights are not looked at.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isLfsPointer, LFS_POINTER } from "@promptloss/torch/files";
import { isJsonObject, type JsonObject } from "../../json-object.ts";
import { TokenizerError } from "./errors.ts";
import { fetchHint } from "./hub-name.ts";
import { type VocabularyKind, vocabularyKind } from "./token-bytes.ts";
import { type WordRules, wordRules } from "./word-rules.ts";

export interface SpecialTokens {
  readonly bos: string | undefined;
  readonly eos: string | undefined;
  readonly pad: string | undefined;
  readonly unk: string | undefined;
}

/** A token that splits the text before anything else, with its place in the vocabulary. */
export interface AddedTokenEntry {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Whether it is looked for after normalization. */
  readonly normalized: boolean;
}

export interface TokenizerFolder {
  readonly path: string;
  /** The text of tokenizer.json. */
  readonly json: string;
  readonly special: SpecialTokens;
  readonly addedTokens: readonly AddedTokenEntry[];
  /** Added tokens that tokenizer_config.json says the vocabulary has. */
  readonly declaredTokens: readonly { readonly id: number; readonly content: string }[];
  readonly kind: VocabularyKind;
  /** Where words are encoded independently. */
  readonly words: WordRules | undefined;
  /** The Jinja source of the model's own chat template. */
  readonly chatTemplate: string | undefined;
  /** Where there are several and none is the default: their names. */
  readonly chatTemplateNames: readonly string[];
  /** `eos_token_id` of generation_config.json or, where that has none, of config.json. */
  readonly generationStopIds: readonly number[];
  readonly modelMaxLength: number | undefined;
}

async function readText(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new TokenizerError(`${path}: cannot be read`, { path, cause });
  }
  if (isLfsPointer(text))
    throw new TokenizerError(`${path}: ${LFS_POINTER.message}`, { path, hint: LFS_POINTER.hint });
  return text;
}

function parseObject(path: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TokenizerError(`${path}: is not JSON (${reason})`, {
      path,
      cause,
      hint: "Download the file again; it may have been cut short.",
    });
  }
  if (!isJsonObject(value)) throw new TokenizerError(`${path}: should hold a JSON object`, { path });
  return value;
}

async function readObject(path: string): Promise<JsonObject> {
  const text = await readText(path);
  return text === undefined ? {} : parseObject(path, text);
}

/** A special token is written as a string or as an object with `content`. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return isJsonObject(value) && typeof value.content === "string" ? value.content : undefined;
}

/** A chat template, or the names of several of which none is the default: those that transformers refuses. */
function chatTemplates(value: unknown): { text?: string; names: string[] } {
  if (typeof value === "string") return { text: value, names: [] };
  if (!Array.isArray(value)) return { names: [] };
  const named = value.filter(isJsonObject);
  const chosen = named.find(({ name }) => name === "default");
  if (typeof chosen?.template === "string") return { text: chosen.template, names: [] };
  return { names: named.map(({ name }) => String(name)) };
}

function idList(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id): id is number => Number.isInteger(id));
}

function addedTokenEntries(value: unknown): AddedTokenEntry[] {
  return (Array.isArray(value) ? value : []).filter(isJsonObject).flatMap((entry) => {
    const { id, content } = entry;
    if (typeof id !== "number" || typeof content !== "string") return [];
    return [{ id, content, special: entry.special === true, normalized: entry.normalized === true }];
  });
}

function declaredTokens(value: unknown): { id: number; content: string }[] {
  return Object.entries(isJsonObject(value) ? value : {}).flatMap(([id, entry]) => {
    const content = tokenText(entry);
    return content === undefined ? [] : [{ id: Number(id), content }];
  });
}

function stopIdsOf(generation: JsonObject, model: JsonObject): number[] {
  const fromGeneration = idList(generation.eos_token_id);
  if (fromGeneration.length > 0) return fromGeneration;
  // A model of text and images may say it of its text model alone.
  const text = isJsonObject(model.text_config) ? model.text_config : {};
  return idList(model.eos_token_id ?? text.eos_token_id);
}

/** The ids that end a generation by a model folder's configs alone, for rows of ids without a tokenizer. */
export async function readStopIds(path: string): Promise<number[]> {
  const [generation, model] = await Promise.all([
    readObject(join(path, "generation_config.json")),
    readObject(join(path, "config.json")),
  ]);
  return stopIdsOf(generation, model);
}

/**
 * Reads a tokenizer folder.
 * @param path a folder with at least `tokenizer.json`
 * @throws {TokenizerError} when `tokenizer.json` is missing or a file is not what it should be
 */
export async function readTokenizerFolder(path: string): Promise<TokenizerFolder> {
  const jsonPath = join(path, "tokenizer.json");
  const json = await readText(jsonPath);
  if (json === undefined) {
    throw new TokenizerError(`${jsonPath}: no such file`, {
      path: jsonPath,
      hint:
        fetchHint(path) ??
        "Name a folder that holds a tokenizer.json; a tokenizer with only a tokenizer.model is converted by saving it once with transformers' AutoTokenizer.",
    });
  }
  const parsed = parseObject(jsonPath, json);
  const [config, map, generation, model, jinja] = await Promise.all([
    readObject(join(path, "tokenizer_config.json")),
    readObject(join(path, "special_tokens_map.json")),
    readObject(join(path, "generation_config.json")),
    readObject(join(path, "config.json")),
    readText(join(path, "chat_template.jinja")),
  ]);
  const special = (name: string): string | undefined => tokenText(config[name]) ?? tokenText(map[name]);
  const maxLength = config.model_max_length;
  const listed = chatTemplates(config.chat_template);
  return {
    path,
    json,
    special: {
      bos: special("bos_token"),
      eos: special("eos_token"),
      pad: special("pad_token"),
      unk: special("unk_token"),
    },
    addedTokens: addedTokenEntries(parsed.added_tokens),
    declaredTokens: declaredTokens(config.added_tokens_decoder),
    kind: vocabularyKind(parsed.decoder, parsed.pre_tokenizer),
    words: wordRules(parsed),
    chatTemplate: jinja ?? listed.text,
    chatTemplateNames: jinja === undefined ? listed.names : [],
    generationStopIds: stopIdsOf(generation, model),
    // transformers writes 1e30 where there is no limit.
    modelMaxLength: typeof maxLength === "number" && maxLength < 1e9 ? maxLength : undefined,
  };
}
