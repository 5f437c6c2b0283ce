// Items through the model: greedy completions, cut at the task's stop strings, as lm-evaluation-harness decodes them.
import { generate, type StopCriterion } from "../../generation/index.ts";
import type { GenerationItem } from "../requests/item.ts";
import { encodeContexts } from "../scoring/encode-pairs.ts";
import type { GenerationTask } from "../tasks/index.ts";
import type { EvaluatedModel } from "./model.ts";
import { recordOfCompletion } from "./record.ts";
import { promptRequest } from "./request.ts";
import type { PlacedItem, ScoreItemsOptions } from "./score-items.ts";

/** Answers that are generated together. */
const TOGETHER = 16;

/** New tokens of a completion: those asked for, and at most half of what is read. */
export function completionRoom({ maxLength }: EvaluatedModel, wanted: number): number {
  return Math.min(wanted, Math.floor(maxLength / 2));
}

export async function completeItems(
  task: GenerationTask,
  evaluated: EvaluatedModel,
  items: readonly PlacedItem<GenerationItem>[],
  { maxNewTokens, signal, onRecords }: ScoreItemsOptions & { readonly maxNewTokens: number },
): Promise<void> {
  const { model, tokenizer } = evaluated;
  const longest = evaluated.maxLength - maxNewTokens;
  const prompts = await encodeContexts(
    tokenizer,
    items.map(({ item }) => item.context),
  );
  // A stop string spans few tokens; those are decoded, not the whole completion at every step.
  const tail = 2 * Math.max(0, ...task.until.map(({ length }) => length)) + 8;
  const stopCriterion: StopCriterion = (candidates) =>
    Promise.all(
      candidates.map(async ({ ids }) => {
        const text = await tokenizer.decode(ids.slice(-tail), { skipSpecialTokens: true });
        return task.until.find((stop) => text.includes(stop));
      }),
    );
  for (let from = 0; from < items.length; from += TOGETHER) {
    if (signal?.aborted) return;
    const part = items.slice(from, from + TOGETHER);
    const ids = part.map((_, i) => prompts[from + i]!.slice(-longest));
    const results = await generate(model, ids, {
      maxNewTokens,
      stopIds: tokenizer.stopIds,
      batchSize: TOGETHER,
      ...(task.until.length > 0 && { stopCriterion }),
      ...(signal !== undefined && { signal }),
    });
    if (signal?.aborted) return;
    const texts = await Promise.all(
      results.map(([sequence]) => tokenizer.decode(sequence!.ids, { skipSpecialTokens: true })),
    );
    onRecords(
      part.map(({ index, item }, i) => {
        const completion = task.until.reduce((text, stop) => text.split(stop)[0]!, texts[i]!);
        return recordOfCompletion(task, index, item, {
          request: promptRequest(item.context, ids[i]!),
          truncated: prompts[from + i]!.length > longest,
          completion,
          completionIds: results[i]![0]!.ids,
        });
      }),
    );
  }
}
