// The recommended weight for a generation ratio under every normalization, with its ground in words; on runs of the user's
// own where a study is given.
import { setImmediate } from "node:timers/promises";
import { NORMALIZATIONS, type Normalization } from "../../loss/normalization.ts";
import { ServeError } from "../../serve/errors.ts";
import { GROUNDS, type RecommendOptions, recommend, type StudyEvidence } from "../../statistics/index.ts";
import { StudyError } from "../../study/errors.ts";
import { readStudyResults, studyEvidence } from "../../study/results/index.ts";
import type { RecommendationAnswer } from "./answer.ts";

export interface RecommendationQuestion extends Pick<RecommendOptions, "taskGroup" | "parameters"> {
  /** The output folder of a study whose runs count. */
  readonly study?: string | undefined;
}

/**
 * @throws {StatisticsError} for a ratio that is not positive
 * @throws {ServeError} 400 for a study without results
 */
export async function recommendations(
  generationRatio: number,
  { study, ...options }: RecommendationQuestion,
): Promise<Record<Normalization, RecommendationAnswer>> {
  const evidence = study === undefined ? undefined : evidenceOf(study, generationRatio, options);
  const answers: [Normalization, RecommendationAnswer][] = [];
  for (const normalization of NORMALIZATIONS) {
    // A posterior over many runs takes a part of a second each.
    await setImmediate();
    const { evidence: facts, ...found } = recommend(generationRatio, {
      ...options,
      normalization,
      study: evidence,
    });
    const grounds = facts.map(({ mark, text }) => ({ from: GROUNDS[mark], text }));
    answers.push([normalization, { ...found, evidence: grounds }]);
  }
  return Object.fromEntries(answers) as Record<Normalization, RecommendationAnswer>;
}

function evidenceOf(
  folder: string,
  generationRatio: number,
  { taskGroup }: Pick<RecommendOptions, "taskGroup">,
): StudyEvidence {
  try {
    return studyEvidence(readStudyResults(folder).rows, { generationRatio, taskGroup });
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    const message = error.message.replaceAll(`${folder}: `, "").replaceAll(folder, () => "the study");
    throw new ServeError(400, `study: ${message}`, { param: "study", cause: error });
  }
}
