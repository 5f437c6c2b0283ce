// The prompt loss weight that data asks for, by their generation ratio: what `auto` in a recipe means and what
// `promptloss recommend` prints.
import type { Example } from "../data/example.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import { type Recommendation, type RecommendOptions, recommend } from "../statistics/index.ts";
import { ratioOfData } from "./data-ratio.ts";
import type { GenerationRatio } from "./generation-ratio.ts";

/** Undefined where the ratio is undefined or 0. */
export function recommendForRatio(
  { ratioOfMeans }: GenerationRatio,
  options: RecommendOptions = {},
): Recommendation | undefined {
  return ratioOfMeans === undefined || ratioOfMeans === 0 ? undefined : recommend(ratioOfMeans, options);
}

/** The weight that `auto` stands for, and why in a sentence. Without a tokenizer rows are ids, whose parts are not known. */
export async function automaticWeight(
  examples: Iterable<Example> | AsyncIterable<Example>,
  tokenizer: Tokenizer | undefined,
  options: Pick<RecommendOptions, "normalization"> = {},
): Promise<{ promptLossWeight: number; note: string }> {
  const ratio = tokenizer === undefined ? undefined : await ratioOfData(examples, { tokenizer });
  const recommendation = ratio && recommendForRatio(ratio.generationRatio, options);
  return recommendation === undefined
    ? {
        promptLossWeight: 1,
        note: "promptLossWeight auto: 1, as the data has no prompt or no completion to go by",
      }
    : { promptLossWeight: recommendation.plw, note: `promptLossWeight auto: ${recommendation.sentence}` };
}
