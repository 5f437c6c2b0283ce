// Models that read images too: their config.json has the text model's as `text_config`, and their files have its weights
// beside those of other parts. Texts alone take the text model's way, so that is what is read.
import { parse, stringify } from "lossless-json";
import { isJsonObject, type JsonObject } from "../../json-object.ts";
import { ModelConfigError } from "../errors.ts";

interface TextModel {
  /** `model_type` of its config. */
  readonly type: string;
  /** What transformers fills in where the config leaves it out: it writes what differs alone. */
  readonly defaults: JsonObject;
}

/** By the whole model's `model_type`. Not served are those whose texts see images' positions or later tokens. */
const TEXT_MODELS: Readonly<Record<string, TextModel>> = {
  gemma3: {
    type: "gemma3_text",
    defaults: {
      vocab_size: 262208,
      hidden_size: 2304,
      intermediate_size: 9216,
      num_hidden_layers: 26,
      num_attention_heads: 8,
    },
  },
  llava: {
    type: "llama",
    defaults: {
      vocab_size: 32000,
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_attention_heads: 32,
    },
  },
  mistral3: { type: "mistral", defaults: {} },
};

/** Keys of the whole that are the text model's where its own config leaves them out. */
const SHARED_KEYS = ["dtype", "torch_dtype", "bos_token_id", "eos_token_id", "pad_token_id"];

export interface TextConfig {
  /** A text model's config.json, whole. */
  readonly json: JsonObject;
  readonly text: string;
  readonly note: string;
}

/**
 * The text model's config inside that of a model of text and images; undefined for all other configs.
 * @throws {ModelConfigError} for a text model of another kind
 */
export function textConfigOf(json: JsonObject, text: string, path: string): TextConfig | undefined {
  const kind = typeof json.model_type === "string" ? json.model_type : "";
  const known = Object.hasOwn(TEXT_MODELS, kind) ? TEXT_MODELS[kind] : undefined;
  if (known === undefined) return undefined;
  const { text_config: inner } = json;
  if (!isJsonObject(inner))
    throw new ModelConfigError("expected an object: the text model's config", {
      path,
      key: "text_config",
      value: inner,
    });
  const { model_type: type = known.type } = inner;
  if (type !== known.type)
    throw new ModelConfigError(`of a ${kind}, ${known.type} is supported, got ${JSON.stringify(type)}`, {
      path,
      key: "text_config.model_type",
      value: type,
    });
  // Numbers as they stand: 1.0 is not 1 to readers that tell floats from integers.
  const exact = parse(text) as JsonObject;
  const merged = mergedConfig(exact, exact.text_config as JsonObject, known);
  const whole = stringify(merged, undefined, 2)!;
  return {
    json: JSON.parse(whole) as JsonObject,
    text: whole,
    note: `${path}: a ${kind} model: its text model is read alone, and is all that is saved`,
  };
}

function mergedConfig(outer: JsonObject, inner: JsonObject, { type, defaults }: TextModel): JsonObject {
  const given = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));
  const shared = given(Object.fromEntries(SHARED_KEYS.map((key) => [key, outer[key]])));
  // The whole model's word on its head counts, as in transformers 5.
  const tied = given({ tie_word_embeddings: outer.tie_word_embeddings ?? inner.tie_word_embeddings });
  const { architectures: _, ...own } = inner;
  return { ...defaults, ...shared, ...given(own), ...tied, model_type: type };
}

/** Parts that texts do not pass. */
const OTHER_PARTS = /^(?:model\.)?(?:vision_tower|multi_modal_projector)\./;

/** What the text model calls a tensor of the whole model's files; undefined for one of another part. */
export function textTensorName(stored: string): string | undefined {
  if (OTHER_PARTS.test(stored)) return undefined;
  return stored.replace(/^model\.language_model\./, "model.").replace(/^language_model\./, "");
}
