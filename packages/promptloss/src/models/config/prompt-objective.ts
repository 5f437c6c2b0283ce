// What a model with an encoder was trained to do with prompts, as its config says it: a decoder that read prompts before
// their completions has to read them again in generation. The key is ours; other programs leave it alone.
import { parse, stringify } from "lossless-json";
import type { PromptObjective } from "../../data/tokens/prompt-objective.ts";
import type { ModelConfig } from "./model-config.ts";

/** @param objective undefined to leave the config as it is */
export function withPromptObjective(
  config: ModelConfig,
  objective: PromptObjective | undefined,
): ModelConfig {
  const { architecture, json } = config;
  const { encoder } = architecture;
  const isThere = objective === (json.prompt_objective ?? "none");
  if (encoder === undefined || objective === undefined || isThere) return config;
  const change = { prompt_objective: objective };
  const promptInDecoder = objective === "reconstruct";
  return Object.freeze({
    ...config,
    architecture: Object.freeze({ ...architecture, encoder: { ...encoder, promptInDecoder } }),
    json: { ...json, ...change },
    text: stringify({ ...(parse(config.text) as object), ...change }) ?? config.text,
  });
}
