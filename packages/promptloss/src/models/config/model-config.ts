// config.json → what the decoder computes, and the JSON itself to write back unchanged.

import { isJsonObject, type JsonObject } from "../../json-object.ts";
import { ModelConfigError } from "../errors.ts";
import type { Architecture } from "./architecture.ts";
import { initializationOf } from "./families/family.ts";
import { FAMILIES, type Family } from "./families/index.ts";
import { ConfigFields } from "./fields.ts";
import { IRRELEVANT_KEYS } from "./irrelevant.ts";
import { type TextConfig, textConfigOf } from "./text-model.ts";
import { UNSUPPORTED_KEYS } from "./unsupported.ts";

export interface ModelConfig {
  readonly family: Family;
  readonly architecture: Architecture;
  /** The JSON as read, keys that are not known here included. */
  readonly json: Readonly<JsonObject>;
  /** What a user should know: keys that nothing here reads. */
  readonly notes: readonly string[];
  /** Of a model of text and images, of which it is the text model alone: its files hold other parts too. */
  readonly isPart: boolean;
  /** Its text: JSON's 30.0 is not 30 to readers that tell floats from integers. */
  readonly text: string;
}

export interface ParseConfigOptions {
  /** The file, for errors. */
  path?: string;
  /** The text that the JSON was parsed from, to write numbers back as they stood. */
  text?: string;
  /** Refuse keys that are not known here, rather than note them. */
  strict?: boolean;
  /** Keys that are not known here and change nothing. */
  ignoreKeys?: readonly string[];
}

const MIXTURES_SERVED = "of mixtures of experts mixtral, qwen2_moe, qwen3_moe and olmoe are supported";

/** Models that are asked for and not served, with what to do. */
const POINTERS: Readonly<Record<string, string>> = {
  gemma: "Gemma 2 and Gemma 3 are supported",
  granitemoe: MIXTURES_SERVED,
  llama4_text: MIXTURES_SERVED,
};

/**
 * Parses config.json of a Hugging Face model folder.
 * @throws {ModelConfigError} for unknown model types, values that are not supported, keys that are known to change
 *   results and are not supported and, where strict, all keys that nothing reads
 */
export function parseModelConfig(json: unknown, options: ParseConfigOptions = {}): ModelConfig {
  const { path = "config.json", text = JSON.stringify(json), ignoreKeys = [], strict = false } = options;
  if (!isJsonObject(json)) throw new ModelConfigError("should hold a JSON object", { path });
  const whole = textConfigOf(json, text, path);
  return parsed(whole?.json ?? json, whole, { path, text: whole?.text ?? text, ignoreKeys, strict });
}

function parsed(
  json: JsonObject,
  whole: TextConfig | undefined,
  { path, text, ignoreKeys, strict }: Required<ParseConfigOptions>,
): ModelConfig {
  const family = familyOf(json, path);
  const fields = new ConfigFields(path, json);
  fields.ignore(...IRRELEVANT_KEYS, initializationOf(family).range, ...ignoreKeys);
  fields.require("add_cross_attention", false, "there is no encoder");
  fields.require("quantization_config", undefined, "weights in 32 or 16 bits");
  if (Object.keys((json.pruned_heads as object | null | undefined) ?? {}).length > 0)
    throw fields.error("pruned_heads", "pruned heads are not supported");
  fields.ignore("pruned_heads");
  const architecture = family.read(fields);
  const hasEncoder = architecture.encoder !== undefined;
  fields.require("is_encoder_decoder", hasEncoder, `what a ${family.modelType} is`);
  if (strict) fields.refuseUnread();
  for (const key of fields.unread)
    if (Object.hasOwn(UNSUPPORTED_KEYS, key) && !UNSUPPORTED_KEYS[key]!.includes(json[key]))
      throw fields.error(key, "changes what the model computes, and is not supported");
  const unknown = fields.unread.filter((key) => !Object.hasOwn(UNSUPPORTED_KEYS, key));
  const notes = [...(whole ? [whole.note] : []), ...(unknown.length > 0 ? [unknownNote(path, unknown)] : [])];
  return Object.freeze({
    ...{ family, architecture: Object.freeze(architecture), json, notes, text },
    isPart: whole !== undefined,
  });
}

/** Names that a note lists. */
const LISTED = 8;

function unknownNote(path: string, keys: readonly string[]): string {
  const more = keys.length > LISTED ? ` and ${keys.length - LISTED} more` : "";
  return `${path}: not known here, and taken to change nothing: ${keys.slice(0, LISTED).join(", ")}${more}`;
}

function familyOf(json: JsonObject, path: string): Family {
  const { model_type: type, architectures } = json;
  const named = Array.isArray(architectures) ? (architectures[0] as unknown) : undefined;
  const family = FAMILIES.find(({ modelType }) => modelType === type);
  const known = FAMILIES.map(({ modelType }) => modelType).join(", ");
  if (family === undefined) {
    const pointer = POINTERS[String(type)];
    throw new ModelConfigError(
      `is not a model type that is supported, got ${JSON.stringify(type)}; supported are ${known}`,
      { path, key: "model_type", value: type },
      { hint: pointer },
    );
  }
  // A base model's class means the same weights without a head; other heads mean other tasks.
  if (typeof named === "string" && named !== family.architecture && /For(?!CausalLM$)/.test(named))
    throw new ModelConfigError(
      `expected ${JSON.stringify([family.architecture])}, got ${JSON.stringify(architectures)}`,
      { path, key: "architectures", value: architectures },
    );
  return family;
}
