// The recommended weight for a generation ratio under every normalization, with its ground in words.
import { NORMALIZATIONS, type Normalization } from "../../loss/normalization.ts";
import { GROUNDS, type RecommendOptions, recommend } from "../../statistics/index.ts";
import type { RecommendationAnswer } from "./answer.ts";

/** @throws {StatisticsError} for a ratio that is not positive */
export function recommendations(
  generationRatio: number,
  options: Pick<RecommendOptions, "taskGroup" | "parameters">,
): Record<Normalization, RecommendationAnswer> {
  const answers = NORMALIZATIONS.map((normalization) => {
    const { evidence, ...found } = recommend(generationRatio, { ...options, normalization });
    return [
      normalization,
      { ...found, evidence: evidence.map(({ mark, text }) => ({ from: GROUNDS[mark], text })) },
    ];
  });
  return Object.fromEntries(answers) as Record<Normalization, RecommendationAnswer>;
}
