// Greedy decoding and sampling of some prompts by themselves: a running batch of their own.
import type { CausalLanguageModel } from "../../models/index.ts";
import type { GenerationSettings } from "../options.ts";
import type { GeneratedSequence } from "../types.ts";
import { BatchEngine } from "./batch-engine.ts";
import type { PromptTokens } from "./prompt.ts";

/** @returns by prompt, in the order given, its sequences */
export async function sampleBatch(
  model: CausalLanguageModel,
  prompts: readonly PromptTokens[],
  settings: GenerationSettings,
): Promise<GeneratedSequence[][]> {
  using engine = new BatchEngine(model, { rows: settings.batchSize });
  return await engine.run(prompts, settings);
}
