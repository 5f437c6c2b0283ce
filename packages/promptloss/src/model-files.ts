// The files of a model's folder that change its results: what an identity hashes, and what is fetched from the hub.

export const MODEL_CONFIGS = ["config.json", "adapter_config.json"] as const;

export const CONFIG_FILES = [...MODEL_CONFIGS, "generation_config.json", "tokenizer_config.json"] as const;

/** Of the tokenizer, and a chat template. */
export const TEXT_FILES = [
  "tokenizer.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
] as const;
