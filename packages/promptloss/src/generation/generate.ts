// Continues prompts of token ids with a model: options checked, prompts of like length run together, results in the
// prompts' order. Text is made and read in text/.
import type { CausalLanguageModel } from "../models/index.ts";
import type { BatchEngine } from "./decoding/batch-engine.ts";
import { searchBeams } from "./decoding/beam-search.ts";
import { checkedPrompts, type PromptTokens } from "./decoding/prompt.ts";
import { sampleBatch } from "./decoding/sample.ts";
import { type GenerateOptions, generationSettings } from "./options.ts";
import type { GeneratedSequence } from "./types.ts";

/**
 * Continues each prompt. The same options, prompts and seeds give the same tokens, bit for bit; a prompt's sequences
 * are those that it would have alone, up to the rounding of products over more rows.
 * @param prompts token ids, BOS and all
 * @param engine the running batch of this model that the prompts join; one of their own where left out. `batchSize` has no
 * effect on it
 * @returns for each prompt its sequences; of beams the best first
 * @throws {GenerationError} for options that make no sense, and prompts that are empty or too long
 * @throws {ModelInputError} for ids outside the vocabulary
 */
export async function generate(
  model: CausalLanguageModel,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
  engine?: BatchEngine,
): Promise<GeneratedSequence[][]> {
  const settings = generationSettings(options, prompts.length);
  const checked = checkedPrompts(prompts, model.architecture, settings.maxNewTokens);
  const results = new Array<GeneratedSequence[]>(prompts.length);
  const beams = settings.beams > 1;
  const together = beams ? Math.max(1, Math.floor(settings.batchSize / settings.beams)) : prompts.length;
  for (const batch of batches(checked, together)) {
    const sequences = beams
      ? await searchBeams(model, batch, settings)
      : await (engine?.run(batch, settings) ?? sampleBatch(model, batch, settings));
    batch.forEach(({ index }, i) => {
      results[index] = sequences[i]!;
    });
  }
  return results;
}

/** Prompts by length, the longest first: they tend to have the longest continuations, and need the most memory. */
function batches(prompts: readonly PromptTokens[], size: number): PromptTokens[][] {
  const sorted = [...prompts].sort((a, b) => b.ids.length - a.ids.length);
  return Array.from({ length: Math.ceil(sorted.length / size) }, (_, i) =>
    sorted.slice(i * size, (i + 1) * size),
  );
}
